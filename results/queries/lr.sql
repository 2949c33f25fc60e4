-- A parameter against a score: parameters sort as numbers. Change the two names to ask about others.
SELECT p.num AS lr, b.metric, substr(b.fingerprint, 1, 8) AS evaluator, count(*) AS runs, avg(b.best) AS mean, min(b.best) AS min, max(b.best) AS max
FROM param p JOIN best_evals b ON b.run_id = p.run_id
WHERE p.key LIKE 'train.optimizer.%.lr' AND b.metric = 'fid'
GROUP BY b.dataset, b.metric, b.fingerprint, p.num
ORDER BY p.num;
