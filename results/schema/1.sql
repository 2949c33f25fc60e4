-- ganexp results.db, schema 1.  Conservative DDL on purpose: no STRICT, no generated columns, no ->>,
-- so the file opens with any SQLite >= 3.8.2 (RHEL 8 ships 3.26, RHEL 9 3.34); typeof() CHECKs replace STRICT.
PRAGMA application_id = 1195462232;          -- 0x47414E58 'GANX', for file(1)
PRAGMA user_version   = 1;
CREATE TABLE experiment(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, note TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL);
CREATE TABLE config(                          -- resolved YAML, stored once per content
  hash TEXT PRIMARY KEY, yaml TEXT NOT NULL, schema_version INTEGER NOT NULL);
CREATE TABLE sweep(
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, experiment_id INTEGER NOT NULL REFERENCES experiment(id),
  name TEXT NOT NULL, spec_yaml TEXT NOT NULL, sampler TEXT NOT NULL, pruner TEXT NOT NULL DEFAULT 'none',
  objective TEXT NOT NULL, direction TEXT NOT NULL CHECK(direction IN('min','max')),
  seed INTEGER NOT NULL, max_trials INTEGER, state TEXT NOT NULL CHECK(state IN('open','paused','done')),
  created_ms INTEGER NOT NULL);
CREATE TABLE run(
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,           -- ULID: sortable, mergeable, prefix-addressable
  experiment_id INTEGER NOT NULL REFERENCES experiment(id),
  sweep_id INTEGER REFERENCES sweep(id), trial INTEGER, parent_id INTEGER REFERENCES run(id),
  name TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL, dataset TEXT NOT NULL, seed INTEGER NOT NULL,
  config_hash TEXT NOT NULL REFERENCES config(hash),
  group_hash TEXT NOT NULL,                                   -- config minus seed/name/paths/threads: the seed-averaging key
  status TEXT NOT NULL CHECK(status IN('queued','running','done','failed','diverged','pruned','interrupted','killed')),
  reason TEXT NOT NULL DEFAULT '', exit_code INTEGER, exit_signal INTEGER,
  step INTEGER NOT NULL DEFAULT 0, total_steps INTEGER, images INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER,
  heartbeat_ms INTEGER, heartbeat_due_ms INTEGER,             -- the run promises its next beat (Aim check-in idea)
  archived_ms INTEGER, dir TEXT NOT NULL);
CREATE INDEX run_exp ON run(experiment_id, created_ms);
CREATE INDEX run_group ON run(group_hash);
CREATE UNIQUE INDEX run_trial ON run(sweep_id, trial) WHERE sweep_id IS NOT NULL;
CREATE TABLE env(                             -- deduplicated environment capture
  id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, ganexp TEXT NOT NULL, git_commit TEXT, git_branch TEXT,
  git_dirty INTEGER, diff_sha256 TEXT, host TEXT, os TEXT, kernel TEXT, cpu TEXT, cores INTEGER, mem_bytes INTEGER,
  isa TEXT, compiler TEXT, cflags TEXT, onednn TEXT, blas TEXT, sqlite TEXT, libyaml TEXT, extra_json TEXT);
CREATE TABLE attempt(                         -- one row per process that worked on the run (start, resume, requeue)
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, n INTEGER NOT NULL,
  env_id INTEGER REFERENCES env(id), argv_json TEXT NOT NULL, cwd TEXT NOT NULL, threads INTEGER, ranks INTEGER,
  host TEXT NOT NULL, pid INTEGER NOT NULL, boot_id TEXT NOT NULL, proc_start INTEGER NOT NULL, slurm_job TEXT,
  first_step INTEGER NOT NULL, last_step INTEGER, started_ms INTEGER NOT NULL, ended_ms INTEGER, end_status TEXT,
  UNIQUE(run_id, n));
CREATE TABLE param(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, key TEXT NOT NULL,
  type TEXT NOT NULL CHECK(type IN('int','float','bool','str','list','null')),
  text TEXT NOT NULL, num REAL,               -- both forms: exact text, and a number that sorts as one
  origin TEXT NOT NULL,                       -- 'default' | 'configs/base.yaml:12' | 'cli' | 'env:VAR' | 'sweep'
  PRIMARY KEY(run_id, key)) WITHOUT ROWID;
CREATE INDEX param_key ON param(key, num, text);
CREATE TABLE metric_key(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, direction TEXT NOT NULL DEFAULT '' CHECK(direction IN('','min','max')),
  unit TEXT NOT NULL DEFAULT '', help TEXT NOT NULL DEFAULT '');
CREATE TABLE metric(                          -- 4 integers-ish per point; NULL value = NaN, +/-Inf stay REAL
  run_id INTEGER NOT NULL, key_id INTEGER NOT NULL, step INTEGER NOT NULL,
  value REAL CHECK(typeof(value) IN('real','null')),
  PRIMARY KEY(run_id, key_id, step)) WITHOUT ROWID;
CREATE TABLE tick(                            -- wall clock once per logged step, not once per value
  run_id INTEGER NOT NULL, step INTEGER NOT NULL, t_ms INTEGER NOT NULL, epoch REAL, images INTEGER,
  PRIMARY KEY(run_id, step)) WITHOUT ROWID;
CREATE TABLE metric_summary(                  -- kept by the writer in the same transaction: ls/leaderboard never scan metric
  run_id INTEGER NOT NULL, key_id INTEGER NOT NULL, n INTEGER NOT NULL, n_nan INTEGER NOT NULL,
  first REAL, last REAL, last_step INTEGER, min REAL, min_step INTEGER, max REAL, max_step INTEGER, sum REAL, sumsq REAL,
  PRIMARY KEY(run_id, key_id)) WITHOUT ROWID;
CREATE TABLE evaluator(                       -- what makes two FIDs comparable
  id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL, extractor TEXT NOT NULL,
  extractor_sha256 TEXT NOT NULL, real_split TEXT NOT NULL, real_stats_sha256 TEXT NOT NULL, n_real INTEGER NOT NULL,
  n_fake INTEGER NOT NULL, preprocess TEXT NOT NULL, version TEXT NOT NULL);
CREATE TABLE artifact(
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER,
  kind TEXT NOT NULL, path TEXT NOT NULL, format TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT '', meta_json TEXT, created_ms INTEGER NOT NULL, removed_ms INTEGER, thumb BLOB,
  UNIQUE(run_id, path));
CREATE INDEX artifact_kind ON artifact(run_id, kind, step);
CREATE TABLE eval(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL,
  evaluator_id INTEGER NOT NULL REFERENCES evaluator(id), key_id INTEGER NOT NULL REFERENCES metric_key(id),
  value REAL, std REAL, weights TEXT NOT NULL DEFAULT 'live',  -- live | ema
  checkpoint_id INTEGER REFERENCES artifact(id), seconds REAL, seed INTEGER,
  PRIMARY KEY(run_id, step, evaluator_id, key_id, weights)) WITHOUT ROWID;
CREATE TABLE event(                           -- alerts and lifecycle: NaN, collapse, rewind, retry, prune, signal
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, attempt_n INTEGER, step INTEGER,
  t_ms INTEGER NOT NULL, level TEXT NOT NULL CHECK(level IN('debug','info','warn','error')), code TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX event_run ON event(run_id, t_ms);
CREATE TABLE tag(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, tag TEXT NOT NULL,
  PRIMARY KEY(run_id, tag)) WITHOUT ROWID;
CREATE TABLE job(                             -- queue for parallel local workers / Slurm
  run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE, priority INTEGER NOT NULL DEFAULT 0,
  launcher TEXT NOT NULL DEFAULT 'local', claimed_by TEXT, claimed_ms INTEGER, tries INTEGER NOT NULL DEFAULT 0,
  max_tries INTEGER NOT NULL DEFAULT 1, not_before_ms INTEGER NOT NULL DEFAULT 0);
-- ---- views: the public, stable query surface --------------------------------------------------------------
CREATE VIEW runs AS SELECT r.id, substr(r.uid,-8) AS short, r.uid, e.name AS experiment, r.name, r.model, r.dataset, r.seed, r.status,
  r.reason, r.step, r.total_steps, r.images, datetime(r.started_ms/1000,'unixepoch') AS started_utc,
  (coalesce(r.ended_ms, r.heartbeat_ms)-r.started_ms)/1000.0 AS seconds,
  (SELECT group_concat(tag,',') FROM tag t WHERE t.run_id=r.id) AS tags, r.note, r.group_hash, r.config_hash, r.dir
  FROM run r JOIN experiment e ON e.id=r.experiment_id WHERE r.archived_ms IS NULL;
CREATE VIEW metrics AS SELECT m.run_id, r.name AS run, k.name AS metric, m.step, m.value, t.t_ms, t.epoch, t.images
  FROM metric m JOIN run r ON r.id=m.run_id JOIN metric_key k ON k.id=m.key_id
  LEFT JOIN tick t ON t.run_id=m.run_id AND t.step=m.step;
CREATE VIEW summary AS SELECT s.run_id, r.name AS run, k.name AS metric, k.direction, s.n, s.n_nan, s.last, s.last_step,
  s.min, s.min_step, s.max, s.max_step, s.sum/nullif(s.n-s.n_nan,0) AS mean,
  CASE k.direction WHEN 'max' THEN s.max ELSE s.min END AS best, CASE k.direction WHEN 'max' THEN s.max_step ELSE s.min_step END AS best_step
  FROM metric_summary s JOIN run r ON r.id=s.run_id JOIN metric_key k ON k.id=s.key_id;
CREATE VIEW evals AS SELECT v.run_id, r.name AS run, r.model, r.dataset, r.seed, r.group_hash, v.step, v.weights, k.name AS metric,
  k.direction, v.value, v.std, ev.name AS evaluator, ev.fingerprint, ev.n_fake
  FROM eval v JOIN run r ON r.id=v.run_id JOIN metric_key k ON k.id=v.key_id JOIN evaluator ev ON ev.id=v.evaluator_id;
CREATE VIEW best_evals AS SELECT run_id, run, model, dataset, seed, group_hash, weights, metric, direction, evaluator, fingerprint,
  CASE direction WHEN 'max' THEN max(value) ELSE min(value) END AS best FROM evals WHERE value IS NOT NULL
  GROUP BY run_id, weights, metric, fingerprint;
CREATE VIEW leaderboard AS SELECT dataset, metric, evaluator, model, group_hash, weights, count(DISTINCT seed) AS seeds, count(*) AS runs,
  avg(best) AS mean, CASE WHEN count(*)>1 THEN sqrt(max(0.0,(avg(best*best)-avg(best)*avg(best))*count(*)/(count(*)-1.0))) END AS std,
  min(best) AS min, max(best) AS max, fingerprint FROM best_evals GROUP BY dataset, metric, fingerprint, group_hash, weights;
CREATE VIEW param_variants AS SELECT experiment_id, key, count(DISTINCT text) AS variants FROM param p JOIN run r ON r.id=p.run_id
  GROUP BY experiment_id, key HAVING count(DISTINCT text)>1;
