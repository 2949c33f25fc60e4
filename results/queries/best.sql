-- The best score of every finished run, best first within data set, score and evaluator.
SELECT b.dataset, b.metric, substr(b.fingerprint, 1, 8) AS evaluator, r.short AS run, b.run AS name, b.seed, b.weights, b.best
FROM best_evals b JOIN runs r ON r.id = b.run_id
WHERE r.status = 'done'
ORDER BY b.dataset, b.metric, b.fingerprint, CASE b.direction WHEN 'max' THEN -b.best ELSE b.best END;
