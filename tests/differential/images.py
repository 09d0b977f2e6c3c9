"""Image files as Pillow writes them, read by wowflow and by Pillow: python images.py [--write FILE] [--refusals].

The variants of BMP are those of crates/wowflow-data/tests/images/make.py.
"""
import importlib.util
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

from common import ROOT, Cases, generator

CASES = Cases()
spec = importlib.util.spec_from_file_location("make", ROOT / "crates/wowflow-data/tests/images/make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)


def folder(group, about, files, right=None, **how):
    """A folder of files by their names."""
    path = CASES.path("images")
    path.mkdir()
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    CASES.add(group, about, path, right, **how)


def planes(pixels):
    """As wowflow keeps them: rows of channel after channel, bytes in [0, 1]."""
    pixels = pixels.reshape(*pixels.shape[:2], -1).astype(float)
    return pixels.transpose(2, 0, 1).reshape(1, -1) / (65535 if pixels.max() > 255 else 255)


def one(group, about, data, pixels=None, ending="png", slack=1e-7, **how):
    """A folder of one image."""
    right = None if pixels is None else (planes(pixels), ["a"])
    folder(group, about, {f"a/1.{ending}": data}, right, slack=slack, **how)


def pillow(data, mode):
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


for name, data in make.files.items():
    if not name.endswith("="):
        ending, pixels = name.split(" ")[0], make.files[name + "="]
        close = 1.01 / 255 if "16 bits" in name or "masks 5" in name else 4.01 / 255 if ending == "jpeg" else 1e-7
        one("variants of make.py", name, data.tobytes(), pixels, ending, close)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def smooth(about, w, h):
    a = generator(about).normal(size=(3, 3))
    x, y = np.meshgrid(np.linspace(0, 2, w), np.linspace(0, 2, h))
    waves = np.sin(a[:, :1, None] * x + a[:, 1:2, None] * y + a[:, 2:, None])
    return (127.5 + 120 * waves).transpose(1, 2, 0).astype(np.uint8)


# Two transforms round in two ways; colours of fewer samples are spread by one rule, in other steps.
CLOSE = {"4:4:4": 4.01 / 255, "4:2:2": 6.01 / 255, "4:2:0": 10.01 / 255}
SIZES = [(1, 1), (7, 5), (8, 8), (17, 9), (33, 31), (64, 48)]
for w, h in SIZES:
    about = f"{w}x{h}"
    rng = generator(about)
    colour, grey = rng.integers(0, 256, (h, w, 3), np.uint8), rng.integers(0, 256, (h, w), np.uint8)
    deep = rng.integers(0, 65536, (h, w), np.uint16)
    deep[0, 0] = 65535
    alpha = np.full((h, w, 1), 255, np.uint8)
    one("PNG", f"RGB, {about}", saved(Image.fromarray(colour), "PNG"), colour)
    one("PNG", f"L, {about}", saved(Image.fromarray(grey), "PNG"), grey)
    one("PNG", f"I;16, {about}", saved(Image.fromarray(deep), "PNG"), deep)
    one("PNG", f"1, {about}", saved(Image.fromarray(grey).convert("1"), "PNG"), np.asarray(Image.fromarray(grey).convert("1").convert("L")))
    one("PNG", f"RGBA, opaque, {about}", saved(Image.fromarray(np.dstack([colour, alpha])), "PNG"), colour)
    one("PNG", f"LA, opaque, {about}", saved(Image.fromarray(np.dstack([grey, alpha]), "LA"), "PNG"), grey)
    alpha[0, 0] = 7
    clear = {"PNG": Image.fromarray(np.dstack([colour, alpha])), "WebP": Image.fromarray(np.dstack([colour, alpha])), "GIF": Image.fromarray(colour).quantize(9)}
    for kind, image in clear.items():
        data = saved(image, kind, **{"WebP": {"lossless": True, "exact": True}, "GIF": {"transparency": int(np.asarray(image).flat[0])}}.get(kind, {}))
        one("transparent", f"{kind}, {about}", data, ending=kind.lower(), says="--rgb")
        one("transparent", f"{kind}, {about}, [rgb]", data, pillow(data, "RGB"), kind.lower(), options="[rgb]")
        grey_of = pillow(data, "RGB") @ [0.299, 0.587, 0.114]
        folder("transparent", f"{kind}, {about}, [grey]", {f"a/1.{kind.lower()}": data}, (grey_of.reshape(1, -1) / 255, ["a"]), options="[grey]", slack=1e-6)
    wave = smooth(about, w, h)
    data = saved(Image.fromarray(colour), "WebP", lossless=True)
    one("WebP", f"lossless, {about}", data, colour, "webp")
    one("WebP", f"cut short, {about}", data[: len(data) * 9 // 10], ending="webp", says="cut short")
    one("WebP", f"grey, {about}", saved(Image.fromarray(grey), "WebP", lossless=True), np.dstack([grey] * 3), "webp")
    one("WebP", f"opaque alpha, {about}", saved(Image.fromarray(np.dstack([colour, np.full((h, w, 1), 255, np.uint8)])), "WebP", lossless=True), colour, "webp")
    for quality in (5, 75, 100):
        data = saved(Image.fromarray(wave), "WebP", quality=quality)
        one("WebP", f"lossy {quality}, {about}", data, pillow(data, "RGB"), "webp", 2.01 / 255)
        one("WebP", f"lossy {quality}, cut short, {about}", data[:-3], ending="webp", says="cut short")
    data = saved(Image.fromarray(colour), "WebP", save_all=True, append_images=[Image.fromarray(255 - colour)], lossless=True)
    one("WebP", f"two pictures, {about}", data, ending="webp", says="several pictures")
    one("PNG", f"RGBA, transparent, {about}", saved(Image.fromarray(np.dstack([colour, alpha])), "PNG"), says="background")
    for count in (2, 3, 5, 17, 256):
        table = Image.fromarray(colour).quantize(count)
        bits = {2: 1, 3: 2, 5: 4}.get(count, 8)
        one("PNG", f"P of {count}, {about}", saved(table, "PNG", bits=bits), np.asarray(table.convert("RGB")))
        one("GIF", f"{count}, {about}", saved(table, "GIF"), np.asarray(Image.open(io.BytesIO(saved(table, "GIF"))).convert("RGB")), "gif")
    for mode, kind in (("RGB", "BMP"), ("L", "BMP"), ("1", "BMP"), ("P", "BMP")):
        image = Image.fromarray(colour).convert(mode)
        one("BMP", f"{mode}, {about}", saved(image, kind), np.asarray(image.convert("RGB")), "bmp")
    for compress in (0, 9):
        one("PNG", f"compressed {compress}, {about}", saved(Image.fromarray(colour), "PNG", compress_level=compress), colour)
    for quality in (30, 75, 95, 100):
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            for progressive in (False, True):
                data = saved(Image.fromarray(wave), "JPEG", quality=quality, subsampling=sampling, progressive=progressive)
                pixels = np.asarray(Image.open(io.BytesIO(data)))
                one("JPEG", f"{quality}, {sampling}, {progressive}, {about}", data, pixels, "jpg", CLOSE[sampling])
        data = saved(Image.fromarray(wave[:, :, 0]), "JPEG", quality=quality)
        one("JPEG", f"{quality}, grey, {about}", data, np.asarray(Image.open(io.BytesIO(data))), "jpg", 2.01 / 255)
    data = saved(Image.fromarray(wave).convert("CMYK"), "JPEG", quality=95)
    one("JPEG", f"CMYK, {about}", data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), "jpg", 4.01 / 255, unclear=True, says="CMYK")
    # As stored, as Pillow opens it.
    for turn in range(1, 9):
        turned = Image.Exif()
        turned[0x0112] = turn
        data = saved(Image.fromarray(wave[:, :, 0]), "JPEG", exif=turned)
        one("EXIF", f"turn {turn}, JPEG, {about}", data, pillow(data, "L"), "jpg", 2.01 / 255)
        one("EXIF", f"turn {turn}, PNG, {about}", saved(Image.fromarray(grey), "PNG", exif=turned), grey)
    for name, options in {"restarts": {"restart_marker_blocks": 1}, "a comment": {"comment": "by hand"}, "optimised": {"optimize": True}}.items():
        data = saved(Image.fromarray(wave[:, :, 0]), "JPEG", **options)
        one("JPEG", f"{name}, {about}", data, pillow(data, "L"), "jpg", 2.01 / 255)
    frames = [Image.fromarray(np.roll(colour, k)) for k in range(3)]
    for default in (False, True):
        data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=default)
        one("PNG", f"APNG, default {default}, {about}", data, colour)
    data = saved(frames[0].quantize(9), "GIF", save_all=True, append_images=[f.quantize(9) for f in frames[1:]])
    one("GIF", f"three pictures, {about}", data, pillow(data, "RGB"), "gif")

# PNG by hand, for Pillow writes neither interlaced ones nor 16 bits of colour.
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def by_hand(pixels, bits, kind, interlaced, colours=b""):
    def packed(part):
        if bits == 16:
            body = part.astype(">u2").reshape(len(part), -1).view(np.uint8)
        else:
            digits = (part.reshape(len(part), -1, 1) >> np.arange(bits - 1, -1, -1)) & 1
            body = np.packbits(digits.reshape(len(part), -1).astype(np.uint8), axis=1)
        return b"".join(b"\0" + row.tobytes() for row in body)

    h, w = pixels.shape[:2]
    parts = [pixels[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [pixels]
    data = b"".join(packed(part) for part in parts if part.size)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, kind, 0, 0, interlaced)), (b"PLTE", colours), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    chunk = lambda name, content: struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks if c[1] or c[0] == b"IEND")


for kind, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8)}.items():
    for bits in depths:
        for w, h in ((1, 1), (2, 8), (5, 3), (9, 17)):
            for interlaced in (0, 1):
                about = f"type {kind}, {bits} bits, {w}x{h}, interlaced {interlaced}"
                rng = generator(about)
                pixels = rng.integers(0, 2**bits, (h, w, 3 if kind == 2 else 1))
                palette = rng.integers(0, 256, (2**bits, 3), np.uint8) if kind == 3 else np.empty(0, np.uint8)
                right = palette[pixels[:, :, 0]] / 255 if kind == 3 else pixels / (2**bits - 1)
                data = by_hand(pixels, bits, kind, interlaced, palette.tobytes())
                folder("PNG by hand", about, {"a/1.png": data}, (right.transpose(2, 0, 1).reshape(1, -1), ["a"]), slack=1e-7)

# Folders.
A, B, C = (saved(Image.fromarray(generator(name).integers(0, 256, (5, 6, 3), np.uint8)), "PNG") for name in "abc")
GREY, OTHER = (saved(Image.fromarray(generator(name).integers(0, 256, size, np.uint8)), "PNG") for name, size in (("grey", (5, 6)), ("other", (7, 6))))


def rows(*files):
    return np.concatenate([planes(np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))) for data in files])


two = {"a/1.png": A, "b/1.png": B}
both = (rows(A, B), ["a", "b"])
for about, more in {
    "plain": {}, "a README": {"README.md": b"x"}, "Mac": {"._a": b"x", "a/._1.png": b"\0\5\26\7", ".DS_Store": b"x", "__MACOSX/a/._1.png": b"x"},
    "Windows": {"Thumbs.db": b"x", "a/Thumbs.db": b"x", "desktop.ini": b"x"}, "notes": {"a/notes.txt": b"x", "b/labels.csv": b"x"},
    "a hidden folder": {".git/HEAD": b"x", ".ipynb_checkpoints/1.png": A}, "a table beside": {"labels.csv": b"file,label\n"},
}.items():
    folder("folders", about, {**two, **more}, both, slack=1e-7)
folder("folders", "grey among colours", {**two, "b/2.png": GREY}, (rows(A, B, GREY), ["a", "b", "b"]), slack=1e-7)
folder("folders", "sizes that differ", {**two, "b/2.png": OTHER}, None, says="--resize")
folder("folders", "numbers as classes", {"0/1.png": A, "1/1.png": B, "10/1.png": C}, (rows(A, B, C), [0, 1, 10]), slack=1e-7)
folder("folders", "codes as classes", {"01/1.png": A, "1/1.png": B, "001/1.png": C}, (rows(C, A, B), ["001", "01", 1]), slack=1e-7)
folder("folders", "one class", {"a/1.png": A, "a/2.png": B}, (rows(A, B), ["a", "a"]), slack=1e-7)
parts = {f"{part}/{name}": data for part in ("train", "test") for name, data in two.items()}
folder("folders", "parts", {**parts, "test/b/1.png": C}, both, slack=1e-7)
folder("folders", "parts, [test]", {**parts, "test/b/1.png": C}, (rows(A, C), ["a", "b"]), options="[test]", slack=1e-7)
for train, test in (("training", "testing"), ("Train", "Test"), ("train", "valid")):
    named = {name.replace("train", train).replace("test", test): data for name, data in parts.items()}
    folder("folders", f"{train} and {test}", named, both, slack=1e-7)
    folder("folders", f"{train} and {test}, the other", named, both, options="[val]" if test == "valid" else "[test]", slack=1e-7)
folder("folders", "classes a level down", {f"data/{name}": data for name, data in two.items()}, both, slack=1e-7, unclear=True, says="a folder")
folder("folders", "images and a table", {"images/1.png": A, "images/2.png": B, "labels.csv": b"file,label\n1.png,a\n2.png,b\n"}, None, says="sort images")
folder("folders", "images beside a table", {"1.png": A, "2.png": B, "labels.csv": b"file,label\n1.png,a\n2.png,b\n"}, None, says="sort images")
folder("folders", "images without classes", {"cat.0.png": A, "dog.0.png": B}, None, says="sort images")
folder("folders", "Kaggle", {"train.csv": b"label,x\n1,2\n", "test.csv": b"x\n1\n", "sample_submission.csv": b"ImageId,Label\n"}, None, says="train.csv")
folder("folders", "an empty class", {**two, "c/notes.txt": b"x"}, None, says="only other files")
folder("folders", "nothing", {}, None, says="nothing")
for kind, data in {"TIFF": saved(Image.open(io.BytesIO(A)), "TIFF"), "PPM": saved(Image.open(io.BytesIO(A)), "PPM")}.items():
    folder("folders", kind, {**two, f"b/2.{kind.lower()}": data}, None, says=kind)
for kind in ("PNG", "JPEG", "GIF", "BMP", "WebP"):
    data = saved(Image.open(io.BytesIO(C)), kind)
    folder("folders", f"{kind} cut short", {**two, f"b/2.{kind.lower()}": data[: len(data) * 6 // 10]}, None, says="readable image")
    folder("folders", f"{kind} by another name", {**two, "b/2.png": data}, (np.concatenate([both[0], rows(data)]), ["a", "b", "b"]), slack=10.01 / 255)

if __name__ == "__main__":
    CASES.report("Images", ["numpy", "pillow"])
