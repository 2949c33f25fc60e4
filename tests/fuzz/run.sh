#!/usr/bin/env bash
# tests/fuzz/run.sh SECONDS [NAME …]: builds every fuzz_NAME.c with clang's libFuzzer, AddressSanitizer, UBSan and its checks of unsigned
# arithmetic and of conversions (-fsanitize=integer; what is meant to wrap says WRAPS), and runs each for so
# long from its seeds, with the same luck each time; FUZZ_SEED=N is other luck. Anything found fails, and the input stays in build-fuzz/.
# Wants a built build/ (for generated headers).
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [NAME …]}
shift
shopt -s nullglob
[[ $# -gt 0 ]] || set -- $(for f in tests/fuzz/fuzz_*.c; do basename "$f" .c | sed 's/^fuzz_//'; done)
mkdir -p build-fuzz
base=(src/base/{arena,diag,file,hash_map,printable,text}.c)
config=("${base[@]}" src/config/*.c)

build() {  # a file of build-fuzz/, from what follows
    clang -g -O1 -std=gnu11 -D_GNU_SOURCE -Isrc -fno-sanitize-recover=undefined,integer -fsanitize=fuzzer,address,undefined,integer -o "build-fuzz/$1" "${@:2}"
}

sources() {  # of a fuzzer: what it is linked from
    case $1 in
    config | expression) echo "${config[@]}" -lyaml -lmd -lm ;;
    idx) echo src/data/idx.c src/base/{arena,file,text}.c -lz ;;
    image)
        build stb.o -c src/base/image_stb.c -fwrapv -fno-sanitize=shift,integer || return 1  # as meson.build has it
        echo src/base/{image_read,image_exif,image_webp,arena}.c build-fuzz/stb.o -lwebp -lpthread -lm
        ;;
    npy) echo src/data/npy.c src/base/arena.c ;;
    safetensors) echo src/store/safetensors.c src/base/{arena,diag,file,printable,text}.c -ljansson ;;
    journal) echo src/store/{journal,record,db,db_create,file_system}.c src/base/{arena,diag,file,printable,text}.c -Ibuild -ljansson -lsqlite3 -lz -lm ;;
    experiment)  # nothing is run: the rooms that know no machine, in meson.build's order
        echo src/{base,config,data,ir,ir/ops,losses,optimizers,nn,lang,lang/words,program,opt}/*.c layers/*.c -I. -Ibuild -Wno-unknown-pragmas -Wno-unknown-attributes -lyaml -lmd -lz -lwebp -lm -lpthread ;;
    *) echo "tests/fuzz/run.sh: no sources for fuzz_$1" >&2; return 1 ;;
    esac
}

seeds() {  # of a fuzzer, into build-fuzz/NAME/seeds
    mkdir -p "build-fuzz/$1/seeds" "build-fuzz/$1/corpus"
    cp -r tests/fuzz/corpus/"$1"/* "build-fuzz/$1/seeds" 2>/dev/null
    case $1 in
    config) cp configs/*.yaml tests/bad/*.yaml tests/configs/*.yaml "build-fuzz/$1/seeds" ;;
    experiment) cp tests/bad/parts/model.yaml configs/*.yaml tests/configs/*.yaml "build-fuzz/$1/seeds" ;;
    esac
}

run() {
    local name=$1 from dict=() timeout=20
    [[ $name != image ]] || timeout=200  # 64 megapixels, twice, take a minute under sanitizers
    from=$(sources "$name") || return 1
    # shellcheck disable=SC2086
    build "fuzz_$name" "tests/fuzz/fuzz_$name.c" $from || return 1
    seeds "$name"
    case $name in config | experiment | expression) dict=(-dict=tests/fuzz/yaml.dict) ;; esac
    (cd "build-fuzz/$name" && exec "../fuzz_$name" -max_total_time="$seconds" -timeout="$timeout" -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 -seed="${FUZZ_SEED:-1}" \
        -artifact_prefix=found- "${dict[@]/tests/../../tests}" corpus seeds) >"build-fuzz/$name.log" 2>&1
}

report() {
    if run "$1"; then
        echo "$1: nothing found in $(sed -n 's/.*number_of_executed_units: *//p' "build-fuzz/$1.log") inputs"
    else
        echo "$1: FOUND, see build-fuzz/$1.log"
        grep -E 'ERROR|SUMMARY|runtime error|bug at|Test unit' "build-fuzz/$1.log" | head -10
        return 1
    fi
}

bad=0 running=0
for name in "$@"; do  # two at a time
    if ((running == 2)); then
        wait -n || bad=1
        ((running--))
    fi
    report "$name" &
    ((++running))
done
while ((running--)); do wait -n || bad=1; done
exit $bad
