-- What went wrong, newest first.
SELECT datetime(v.t_ms / 1000, 'unixepoch') AS time, r.short AS run, r.name, r.status, v.level, v.code, v.step, v.text
FROM event v JOIN runs r ON r.id = v.run_id
WHERE v.level IN ('warn', 'error')
ORDER BY v.t_ms DESC LIMIT 50;
