#!/usr/bin/env bash
# Every config trains: twenty steps on small batches. Its losses are numbers, each of them logged at each logged step; its pictures are
# drawn halfway and at the end, and are not the same; its checkpoint is there; its run is done. Scores are taken where they need no
# trained network (tests/cli_resume.sh takes an Inception Score).
set -u
export OMP_WAIT_POLICY=passive
ganexp=$1
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

complain() { echo "$name: $*"; bad=1; }

shorter() {  # overrides that make a config's batches small, and networks where those are large; and what is scored
    local batch=data.real.batch=4 scores=
    small=() drawn=step
    case $1 in
        aae)  # with a code that can be drawn as points
            scores='{neighbour_accuracy: {of: code}}' small=(noise.z.normal=2 templates.numbers.layers.0.dense=2)
            drawn='step points'
            ;;
        bigan) scores='{neighbour_accuracy: {of: code}}' ;;
        cogan) batch='data.a.batch=4 data.b.batch=4' ;;
        ring) scores='modes, high_quality' drawn=points ;;
        sgan)
            batch='data.real.batch=4 data.few.batch=4'
            scores='{accuracy: {of: discriminator(real.image).class}}, {accuracy: {of: supervised(real.image).class, as: alone}}'
            ;;
        sngan) small=(templates.{up,first,down,flat}.with.filters=16 'samples.grid=[2, 2]') ;;
        wgan_gp_conditional)
            batch=data.real.batch=2
            small=('samples.grid=[1, 10]')
            ;;
    esac
    # shellcheck disable=SC2206
    small+=($batch "evaluate.scores=[$scores]" evaluate.samples=200)
    scored=${scores:+yes}
}

answer() {  # an SQL expression, and what it is of
    "$ganexp" query "SELECT $1 AS answer FROM $2" --json --db "$db" | sed -n 's/.*"answer": "\{0,1\}\([^"}]*\).*/\1/p'
}

pictures() {  # that each of its kinds is drawn halfway and at the end, and the first has changed
    for kind in $drawn; do
        for step in 10 20; do
            [[ $(head -c 4 "$run/samples/$kind-000000$step.png" | tail -c 3) == PNG ]] || complain "no picture $kind-000000$step.png"
        done
    done
    cmp -s "$run/samples/${drawn%% *}"-000000{10,20}.png && complain "ten steps have changed no pixel"
}

for config in configs/*.yaml; do
    name=$(basename "$config" .yaml)
    [[ $name == scorer ]] && continue
    db=$dir/$name/results.db
    mkdir "$dir/$name"
    shorter "$name"
    if ! "$ganexp" run "$config" "${small[@]}" train.steps=20 train.log_every=5 samples.every=10 --no-tune --threads 1 --db "$db" >"$dir/out" 2>&1; then
        complain "failed"
        sed 's/^/    /' "$dir/out"
        continue
    fi
    run=$(echo "$dir/$name"/runs/*)
    pictures
    [[ -s $run/checkpoints/step-00000020.safetensors ]] || complain "no checkpoint"
    [[ -s $run/config.yaml ]] || complain "no config"
    [[ $(answer "status || ' ' || step" runs) == 'done 20' ]] || complain "the run is not done"
    losses=$(answer 'count(DISTINCT metric)' "metrics WHERE metric LIKE 'loss/%'")
    rows=$(answer 'count(*)' "metrics WHERE metric LIKE 'loss/%' AND abs(value) < 1e30 AND step % 5 = 0")
    ((${losses:-0} >= 2 && ${rows:-0} == 4 * losses)) || complain "$rows rows of $losses losses, wanted four of each"
    [[ $scored ]] && [[ $(answer 'count(*) > 0' 'evals WHERE step = 20') != 1 ]] && complain "no score"
done
exit $bad
