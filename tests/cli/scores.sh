#!/usr/bin/env bash
# Scores reach results.db: those of a run as it trains, those of `ganexp eval` afterwards, each under its name, with its direction
# and with what measured it; and the leaderboard lists them.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db

complain() { echo "$*"; sed 's/^/    /' "$dir/out"; bad=1; }
ganexp() { "$ganexp" "$@" >"$dir/out" 2>&1 || complain "ganexp $*: exit code $?"; }
value() { "$ganexp" query --json "SELECT $1 AS v" | sed -n 's/.*"v": "\{0,1\}\([^"}]*\).*/\1/p'; }
is() {  # SQL, wanted
    local got
    got=$(value "$1")
    [[ $got == "$2" ]] || complain "$1 is '$got', wanted '$2'"
}

# --- points: modes and the share near them, of samples and of real data
ganexp run configs/ring.yaml --threads 1 train.steps=20 evaluate.every=10
is "(SELECT group_concat(metric, ' ') FROM (SELECT metric FROM evals WHERE step=10 ORDER BY metric))" \
    "high_quality high_quality_real modes modes_real"
is "(SELECT count(*) FROM evals)" 8
is "(SELECT min(direction) FROM evals)" max
is "(SELECT value FROM evals WHERE metric='modes_real' AND step=20)" 8
is "(SELECT round(value, 2) FROM evals WHERE metric='high_quality_real' AND step=20)" 0.99
is "(SELECT text FROM param WHERE key='evaluate.samples')" 2500
[[ $(find "$dir" -name 'points-00000020.png' -size +1k | wc -l) == 1 ]] || complain "no picture of points"
is "(SELECT count(*) FROM artifact WHERE path LIKE '%points-00000020.png')" 1
ganexp sample ring --threads 1 -o "$dir/points.png"
cmp "$dir/points.png" "$(find "$dir/runs" -name 'points-00000020.png')" || complain "sample draws other points"
ganexp leaderboard modes
grep -q 'better' "$dir/out" && grep -q ' max ' "$dir/out" || complain "the leaderboard does not say what is better"

# --- eval: the same protocol finds the same numbers and adds no row, another one is another evaluator
before=$(value "(SELECT group_concat(printf('%!.17g', value)) FROM (SELECT value FROM evals WHERE step=20 ORDER BY metric))")
ganexp eval ring --threads 1
is "(SELECT count(*) FROM evals)" 8
is "(SELECT group_concat(printf('%!.17g', value)) FROM (SELECT value FROM evals WHERE step=20 ORDER BY metric))" "$before"
ganexp eval ring --threads 1 evaluate.samples=300 'evaluate.scores=[modes: {within: 4, as: wide}]'
is "(SELECT count(*) FROM evals)" 10
is "(SELECT count(*) FROM evals WHERE metric='wide' AND step=20 AND n_fake=300)" 1
is "(SELECT count(DISTINCT fingerprint) FROM evals WHERE metric IN ('modes', 'wide'))" 2
is "(SELECT count(*) FROM eval WHERE checkpoint_id IS NULL AND step=20)" 0
ganexp eval ring --threads 1 --json
grep -q '"score": "modes"' "$dir/out" && grep -q '"better": "max"' "$dir/out" || complain "eval --json does not say what it scored"
"$ganexp" eval ring train.steps=5 >"$dir/out" 2>&1 && complain "eval of another config"
is "(SELECT count(*) FROM evals)" 10

# --- a semi-supervised classifier beside one that has the labelled pictures alone; the nearest neighbour of a code
cat >"$dir/semi.yaml" <<'Y'
name: semi
data:
  real: {dataset: digits, size: 8, batch: 16}
  few: {dataset: digits, size: 8, batch: 16, per_class: 3}
noise: {z: {normal: 8}}
networks:
  generator: {inputs: {z: z}, layers: [dense: 32, relu, dense: 64, tanh, reshape: [1, 8, 8]]}
  discriminator:
    inputs: {image: [1, 8, 8]}
    layers: [flatten, dense: 32, {leaky_relu: 0.2, as: features}, {dense: 10, as: logits}]
    outputs: {class: logits, valid: [log_sum_exp], features: features}
  supervised: {like: discriminator}
values: {fake: generator(z)}
games: [{critic: discriminator.valid, real: real.image, fake: fake, loss: log}]
terms:
  - {cross_entropy: {logits: discriminator(few.image).class, label: few.label}, for: discriminator}
  - {cross_entropy: {logits: supervised(few.image).class, label: few.label}, for: supervised}
train:
  steps: 300
  optimizer: {adam: {lr: 2e-3}}
  iteration: [update: discriminator, update: generator, update: supervised]
evaluate:
  samples: 400
  scores:
    - accuracy: {of: discriminator(real.image).class, as: semi_supervised_accuracy}
    - accuracy: {of: supervised(real.image).class, as: supervised_accuracy}
    - neighbour_accuracy: {of: discriminator(real.image).features}
Y
ganexp run "$dir/semi.yaml" --threads 1
is "(SELECT group_concat(metric, ' ') FROM (SELECT metric FROM evals WHERE model='semi' ORDER BY metric))" \
    "neighbour_accuracy semi_supervised_accuracy supervised_accuracy"
is "(SELECT min(value) > 0.3 AND max(value) <= 1 FROM evals WHERE model='semi')" 1
is "(SELECT count(DISTINCT value) > 1 FROM evals WHERE metric LIKE '%supervised_accuracy')" 1
is "(SELECT group_concat(DISTINCT n_fake || ' ' || n_real || ' ' || real_split) FROM eval v JOIN evaluator e ON e.id=evaluator_id
    JOIN run r ON r.id=run_id WHERE model='semi')" "0 400 test"

# --- distances between the scorer's features of samples and of the training split; real data are nearer
export GANEXP_CACHE=${GANEXP_CACHE:-$(dirname "$ganexp")/scorers}
ganexp run tests/configs/tiny.yaml --threads 1 train.steps=20 evaluate.samples=200 train.lr_schedule=!unset \
    'evaluate.scores=[fid, kid, precision, recall, density, coverage]'
is "(SELECT group_concat(metric, ' ') FROM (SELECT DISTINCT metric FROM evals WHERE model='tiny' AND direction='min' ORDER BY metric))" \
    "fid fid_real kid kid_real"
is "(SELECT count(*) FROM evals WHERE model='tiny' AND direction='max')" 8
is "(SELECT max(value) FROM evals WHERE metric='fid') > 2 * (SELECT max(value) FROM evals WHERE metric='fid_real')" 1
is "(SELECT max(value) FROM evals WHERE metric='precision') < (SELECT min(value) FROM evals WHERE metric='precision_real')" 1
is "(SELECT count(*) FROM evaluator WHERE real_split='train' AND extractor_sha256<>'' AND n_real=200)" 6

# --- samples that are not finite, of weights that are: no score, and the run says so
ganexp run tests/configs/tiny.yaml --threads 1 name=huge train.steps=20 evaluate.samples=200 train.lr_schedule=!unset \
    'evaluate.scores=[fid]' 'evaluate.of=generator(z) * 3e38 * 3e38' 'samples.of=generator(z) * 3e38 * 3e38'
grep -q 'fid not scored: what it looks at holds NaN or Inf' "$dir/out" || complain "the run does not say that it did not score"
is "(SELECT count(*) FROM evals WHERE model='huge')" 0
is "(SELECT count(*) FROM event e JOIN run r ON r.id=run_id WHERE r.model='huge' AND code='unscored' AND level='warn')" 1
"$ganexp" eval huge --threads 1 >"$dir/out" 2>&1
[[ $? == 3 ]] && grep -q 'not scored' "$dir/out" || complain "eval of samples that are not finite"
"$ganexp" sample huge --threads 1 -o "$dir/huge.png" >"$dir/out" 2>&1 || complain "sample of samples that are not finite"
grep -q 'warning: some samples hold NaN or Inf' "$dir/out" || complain "sample does not warn"
"$ganexp" run configs/ring.yaml evaluate.scores=[fid] >"$dir/out" 2>&1 && complain "fid of points"
exit $bad
