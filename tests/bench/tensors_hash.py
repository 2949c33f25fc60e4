#!/usr/bin/env python3
"""tensors_hash.py FILE.safetensors: a hash of names, types, shapes and numbers, whatever order they lie in and whatever else is said of them."""
import hashlib
import json
import struct
import sys

with open(sys.argv[1], "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data = f.read()
h = hashlib.sha256()
for name, t in sorted((k, v) for k, v in header.items() if k != "__metadata__"):
    a, b = t["data_offsets"]
    h.update(f"{name} {t['dtype']} {t['shape']} ".encode() + data[a:b])
print(h.hexdigest()[:16])
