-- How fast runs went, by model and machine.
SELECT r.model, e.cpu, a.threads, count(*) AS runs, avg(r.step * 1.0 / r.seconds) AS steps_per_second
FROM runs r JOIN attempt a ON a.run_id = r.id AND a.n = 1 LEFT JOIN env e ON e.id = a.env_id
WHERE r.status = 'done' AND r.seconds > 0
GROUP BY r.model, e.cpu, a.threads
ORDER BY r.model, steps_per_second DESC;
