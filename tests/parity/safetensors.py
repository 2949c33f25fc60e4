# A safetensors file as numpy arrays: 8 bytes of length, a JSON header, the bytes.
import json
import mmap

import numpy as np

TYPES = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}


def read(path):
    with open(path, "rb") as f:
        raw = memoryview(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(bytes(raw[8:8 + length]))
    metadata = header.pop("__metadata__", {})
    data = raw[8 + length:]
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items()}, metadata
