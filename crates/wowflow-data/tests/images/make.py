"""Writes images.npz: image files, and the pixels that Pillow reads from them (RGB where a format is always read so).

    python make.py images.npz

An array NAME is a file's bytes; `NAME=` its pixels, height x width x channels; without one the file is whole and
refused. BMP files are put together here, variant by variant; the others are written by Pillow.
"""
import io
import struct
import sys

import numpy as np
from PIL import Image

rng = np.random.default_rng(7)
files = {}


def pillow(data, mode="RGB"):
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert(mode))
    return pixels.reshape(*pixels.shape[:2], -1)


def add(name, data, mode="RGB"):
    assert name not in files, name
    files[name] = np.frombuffer(data, np.uint8)
    files[name + "="] = pillow(data, mode)


def bmp(w, h, bits, rows, header=40, compression=0, masks=(), palette=b"", colours=0, gap=0, offset=None):
    """`rows` are the pixels as stored; a negative height counts from the top."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, w, h, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, w, h, 1, bits, compression, len(rows), 2835, 2835, colours, 0)
    fields = b"".join(struct.pack("<I", mask) for mask in masks)
    info = info.ljust(header, b"\0") if header == 40 or not masks else (info + fields).ljust(header, b"\0")
    if header == 40:
        info += fields
    head = info + palette + b"\xa5" * gap
    at = 14 + len(head) if offset is None else offset
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, at) + head + rows


def noise(w, h, bits):
    """Rows of random bits, filled up to words."""
    return rng.integers(0, 256, h * ((w * bits + 31) // 32 * 4), np.uint8).tobytes()


def packed(numbers, bits):
    """Colour numbers of rows, packed and filled up to words."""
    out = b""
    for row in numbers:
        text = "".join(f"{n:0{bits}b}" for n in row)
        text = text.ljust((len(text) + 31) // 32 * 32, "0")
        out += int(text, 2).to_bytes(len(text) // 8, "big")
    return out


def colours(count, entry=4):
    return b"".join(rng.integers(0, 256, 3, np.uint8).tobytes() + b"\0" * (entry - 3) for _ in range(count))


def greys(levels, entry=4):
    return b"".join(bytes([v, v, v]) + b"\0" * (entry - 3) for v in levels)


# Palettes.
for w in (1, 2, 3, 7, 8, 9, 11, 16, 17, 25, 31, 32, 33, 40, 63, 65):
    add(f"bmp 1 bit, {w} wide", bmp(w, 3, 1, noise(w, 3, 1), palette=greys((0, 255)) if w % 2 else colours(2)))
for w in (1, 2, 3, 5, 6, 7, 8, 9, 10, 13, 15, 17):
    add(f"bmp 4 bits, {w} wide", bmp(w, 4, 4, noise(w, 4, 4), palette=colours(16)))
for w in (1, 2, 3, 4, 5, 6, 7):
    add(f"bmp 8 bits, {w} wide", bmp(w, 3, 8, noise(w, 3, 8), palette=colours(256)[:1024]))
add("bmp 1 bit, white and black", bmp(11, 5, 1, noise(11, 5, 1), palette=greys((255, 0))))
add("bmp 4 bits, greys", bmp(7, 5, 4, noise(7, 5, 4), palette=greys(range(0, 256, 17))))
add("bmp 8 bits, greys", bmp(7, 5, 8, noise(7, 5, 8), palette=greys(range(256))))
add("bmp 8 bits, greys downwards", bmp(5, 2, 8, noise(5, 2, 8), palette=greys(range(255, -1, -1))))
for bits, count in ((4, 5), (8, 3), (8, 100)):
    numbers = rng.integers(0, count, (4, 9))
    add(f"bmp {bits} bits, {count} colours", bmp(9, 4, bits, packed(numbers, bits), palette=colours(count), colours=count))
add("bmp a gap before the pixels", bmp(9, 4, 4, noise(9, 4, 4), palette=colours(16), gap=6))
add("bmp without its palette in the offset", bmp(5, 4, 4, noise(5, 4, 4), palette=colours(16), offset=54))
# Both directions and every header.
for header in (12, 40, 52, 56, 64, 108, 124):
    entry = 3 if header == 12 else 4
    for bits in (1, 4, 8, 24):
        palette = colours(1 << bits, entry) if bits <= 8 else b""
        add(f"bmp {bits} bits, header {header}", bmp(5, 3, bits, noise(5, 3, bits), header=header, palette=palette))
for bits in (1, 4, 8, 16, 24, 32):
    palette = colours(1 << bits) if bits <= 8 else b""
    add(f"bmp {bits} bits, top down", bmp(5, -3, bits, noise(5, 3, bits), palette=palette))
# 16 bits and more.
for w in (1, 2, 3, 6, 7):
    for bits in (16, 24, 32):
        add(f"bmp {bits} bits, {w} wide", bmp(w, 3, bits, noise(w, 3, bits)))
for header in (40, 52, 56, 108, 124):
    for name, bits, masks in (
        ("565", 16, (0xF800, 0x7E0, 0x1F)),
        ("555", 16, (0x7C00, 0x3E0, 0x1F)),
        ("888", 24, (0xFF0000, 0xFF00, 0xFF)),
        ("x888", 32, (0xFF0000, 0xFF00, 0xFF)),
        ("888x", 32, (0xFF000000, 0xFF0000, 0xFF00)),
        ("88x8", 32, (0xFF000000, 0xFF00, 0xFF)),
    ):
        add(f"bmp masks {name}, header {header}", bmp(5, 3, bits, noise(5, 3, bits), header, 3, masks))
opaque = np.frombuffer(noise(5, 3, 32), np.uint8).reshape(-1, 4).copy()
opaque[:, 3] = 255
for header in (56, 124):
    for name, masks in (("bgra", (0xFF0000, 0xFF00, 0xFF, 0xFF000000)), ("rgba", (0xFF, 0xFF00, 0xFF0000, 0xFF000000))):
        add(f"bmp {name}, header {header}", bmp(5, 3, 32, opaque.tobytes(), header, 3, masks))
unused = opaque.copy()
unused[:, 3] = 0
add("bmp bgra, alpha unused", bmp(5, 3, 32, unused.tobytes(), 124, 3, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)))


# Runs.
def runs(numbers, bits, absolute):
    """Rows from the bottom as runs, some stored one by one."""
    out = b""
    for row in numbers[::-1]:
        x = 0
        while x < len(row):
            length = 1
            while x + length < len(row) and row[x + length] == row[x] and length < 255:
                length += 1
            left = len(row) - x
            if absolute and length < 3 and left >= 3:
                count = min(left, int(rng.integers(3, 10)))
                part = row[x : x + count]
                if bits == 8:
                    stored = bytes(part.tolist())
                else:
                    part = list(part) + [0] * (count % 2)
                    stored = bytes(a << 4 | b for a, b in zip(part[::2], part[1::2]))
                out += bytes([0, count]) + stored + b"\0" * (len(stored) % 2)
                x += count
            else:
                value = int(row[x])
                out += bytes([length, value if bits == 8 else value << 4 | value])
                x += length
        out += b"\0\0"
    return out + b"\0\1"


for bits, compression in ((8, 1), (4, 2)):
    for w in (1, 4, 5, 9, 30, 301):
        numbers = np.repeat(rng.integers(0, 1 << bits, (4, w)), rng.integers(1, 5), axis=1)[:, :w]
        for absolute in (False, True):
            data = runs(numbers, bits, absolute)
            name = f"bmp runs of {bits} bits, {w} wide{', some stored' if absolute else ''}"
            add(name, bmp(w, 4, bits, data, compression=compression, palette=colours(1 << bits)))
    code = b"\3\x11\0\2\2\1\2\x12\0\0\7\x31\0\0" + b"\7\x10\0\0" + b"\0\1"
    data = bmp(7, 4, bits, code, compression=compression, palette=colours(1 << bits))
    add(f"bmp runs of {bits} bits with a step", data)
    code = b"\2\x12\0\0\1\3\0\0\7\x21\0\0"
    add(f"bmp runs of {bits} bits, short rows", bmp(7, 3, bits, code, compression=compression, palette=colours(1 << bits)))
add("bmp runs of 4 bits, two colours in turn", bmp(7, 2, 4, b"\7\x12\0\0\7\x34\0\1", compression=2, palette=colours(16)))
add("bmp runs of 4 bits, filled up", bmp(7, 2, 4, b"\x08\x12\0\0\x08\x34\0\1", compression=2, palette=colours(16)))

# Written by Pillow.
x, y = np.meshgrid(np.arange(37), np.arange(29))
smooth = np.stack([5 * x + 2 * y, 200 - 3 * x, 90 + 4 * y], axis=-1).astype(np.uint8)
colour = Image.fromarray(smooth)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


for mode in ("1", "L", "P", "RGB", "RGBA"):
    add(f"bmp of Pillow, {mode}", saved(colour.convert(mode), "BMP"))
for name, options in (
    ("plain", {}),
    ("progressive", {"progressive": True}),
    ("best", {"quality": 100, "subsampling": 0}),
    ("with restarts", {"restart_marker_blocks": 2}),
    ("progressive with restarts", {"progressive": True, "restart_marker_blocks": 3}),
    ("optimised", {"optimize": True, "subsampling": "4:2:2"}),
    ("with a preview", {"exif": b"Exif\0\0" + saved(colour.resize((8, 8)), "JPEG")}),
):
    add(f"jpeg {name}", saved(colour, "JPEG", **options))
    add(f"jpeg {name}, grey", saved(colour.convert("L"), "JPEG", **{k: v for k, v in options.items() if k != "subsampling"}), "L")
add("jpeg and more behind its end", saved(colour, "JPEG") + b"\0\xff\xd8more" * 9)
for mode in ("L", "RGB"):
    add(f"png {mode}", saved(colour.convert(mode), "PNG"), mode)
add("png 1 bit", saved(colour.convert("1"), "PNG"), "L")
add("png palette", saved(colour.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"))
for mode in ("L", "P"):
    add(f"gif {mode}", saved(colour.convert(mode, palette=Image.Palette.ADAPTIVE), "GIF"))
add("gif 1", saved(colour.convert("1"), "GIF"))
add("gif interlaced", saved(colour.convert("L"), "GIF", interlace=1))
add("gif of two frames", saved(colour, "GIF", save_all=True, append_images=[colour.rotate(90)]))

if __name__ == "__main__":
    np.savez_compressed(sys.argv[1], **files)
