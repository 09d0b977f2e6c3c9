//! Arrays: `.npy`, `.npz`, IDX and MATLAB 5.

use crate::harness::{Files, Format, fuzz};
use crate::mutate::Mutator;
use crate::pack::{gz, load, zip, zlib};

/// A `.npy` file of some type.
fn npy(m: &mut Mutator, descr: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let extents: String = shape.iter().map(|extent| format!("{extent}, ")).collect();
    let order = if shape.len() > 1 && m.one_in(3) { "True" } else { "False" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({extents}), }}\n");
    let text = m.touch(text.into_bytes());
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text);
    out.extend(bytes);
    m.touch(out)
}

/// Points of a type that is read, as many rows as asked for.
fn points(m: &mut Mutator, rows: usize) -> Vec<u8> {
    let kinds = ["<f4", "<f8", ">f8", "|u1", "<i4", "<f2", "|b1", ">i2", "<u4"];
    let kind = m.pick(&kinds);
    let shapes: [&[usize]; 5] = [&[rows, 3], &[rows, 2, 2], &[rows, 2, 1, 3], &[rows, 3, 2, 2], &[rows]];
    let shape = m.pick(&shapes).to_vec();
    let width = usize::from(kind.as_bytes()[2] - b'0');
    let count: usize = shape.iter().product();
    // Small whole numbers are finite in every type.
    let bytes: Vec<u8> =
        (0..count * width).map(|k| if k % width == 0 { m.below(8) as u8 } else { 0 }).collect();
    npy(m, kind, &shape, &bytes)
}

fn labels(m: &mut Mutator, rows: usize) -> Vec<u8> {
    let (kind, width) = [("<i8", 8), ("|u1", 1), ("<U2", 8), ("|S1", 1)][m.below(4)];
    let letter = |k: usize| if k.is_multiple_of(width) { b'1' + (k % 3) as u8 } else { 0 };
    let bytes: Vec<u8> = (0..rows * width).map(letter).collect();
    npy(m, kind, &[rows], &bytes)
}

fn draw_npy(m: &mut Mutator) -> Files {
    let rows = 1 + m.below(6);
    let (x, other) = (points(m, rows), points(m, rows));
    vec![("X.npy", m.spliced(x, &other)), ("y.npy", labels(m, rows))]
}

fn draw_npz(m: &mut Mutator) -> Files {
    let rows = 1 + m.below(6);
    let archive = |m: &mut Mutator| {
        let mut entries =
            vec![(m.text("X") + ".npy", points(m, rows)), (m.text("y") + ".npy", labels(m, rows))];
        if m.one_in(3) {
            let ones: Vec<u8> = (0..rows).flat_map(|_| 1.0f64.to_le_bytes()).collect();
            entries.push((m.text("weights.npy"), npy(m, "<f8", &[rows], &ones)));
        }
        if m.one_in(8) {
            let nothing = m.bytes(5);
            entries.push(("other.npy".to_owned(), nothing));
        }
        zip(m, &entries)
    };
    let (file, other) = (archive(m), archive(m));
    let file = m.touch(file);
    vec![("a.npz", m.spliced(file, &other))]
}

fn idx(m: &mut Mutator, kind: u8, width: usize, shape: &[usize]) -> Vec<u8> {
    let mut out = vec![0, 0, kind, shape.len() as u8];
    out.extend(shape.iter().flat_map(|&extent| (extent as u32).to_be_bytes()));
    let count: usize = shape.iter().product();
    out.extend((0..count * width).map(|k| if k % width == 0 { m.below(64) as u8 } else { 0 }));
    m.touch(out)
}

fn draw_idx(m: &mut Mutator) -> Files {
    let rows = 1 + m.below(5);
    let (kind, width) = [(8, 1), (9, 1), (0x0b, 2), (0x0c, 4), (0x0d, 4), (0x0e, 8)][m.below(6)];
    let shape = if m.one_in(4) { vec![rows, 3] } else { vec![rows, 2, 2] };
    let (images, labels) = (idx(m, kind, width, &shape), idx(m, 8, 1, &[rows]));
    let images = if m.one_in(2) {
        let packed = gz(&images);
        m.touch(packed)
    } else {
        images
    };
    let other = idx(m, kind, width, &shape);
    vec![("a-images", m.spliced(images, &other)), ("a-labels", labels)]
}

/// A tagged element of a MATLAB 5 file.
fn element(m: &mut Mutator, kind: u32, content: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
    out.extend(content);
    if kind != 15 {
        out.resize(out.len().next_multiple_of(8), 0);
    }
    m.touch(out)
}

fn matrix(m: &mut Mutator, name: u8, extents: &[u32], bytes: &[u8]) -> Vec<u8> {
    let extents: Vec<u8> = extents.iter().flat_map(|extent| extent.to_le_bytes()).collect();
    let parts = [
        element(m, 6, &[9, 0, 0, 0, 0, 0, 0, 0]),
        element(m, 5, &extents),
        [&(1u32 | 1 << 16).to_le_bytes()[..], &[name, 0, 0, 0]].concat(),
        element(m, 2, bytes),
    ];
    let matrix = element(m, 14, &parts.concat());
    match m.below(4) {
        0 => {
            let packed = zlib(&matrix);
            element(m, 15, &packed)
        }
        _ => matrix,
    }
}

fn draw_mat(m: &mut Mutator) -> Files {
    let file = |m: &mut Mutator| {
        let rows = 1 + m.below(4);
        let mut out = b"MATLAB 5.0 MAT-file".to_vec();
        out.resize(124, b' ');
        out.extend([0, 1, b'I', b'M']);
        let pixels = m.bytes(12 * rows);
        out.extend(matrix(m, b'X', &[2, 2, 3, rows as u32], &pixels));
        let digits: Vec<u8> = (0..rows).map(|_| 1 + m.below(10) as u8).collect();
        out.extend(matrix(m, b'y', &[rows as u32, 1], &digits));
        out
    };
    let (mat, other) = (file(m), file(m));
    let mat = m.spliced(mat, &other);
    let mat = m.touch(mat);
    if m.one_in(3) { vec![("a.mat", gz(&mat))] } else { vec![("a.mat", mat)] }
}

#[test]
fn npy_files() {
    fuzz(&Format { name: "npy", draw: draw_npy, read: load, inputs: 4000 });
}

#[test]
fn npz_archives() {
    fuzz(&Format { name: "npz", draw: draw_npz, read: load, inputs: 4000 });
}

#[test]
fn idx_files() {
    fuzz(&Format { name: "idx", draw: draw_idx, read: load, inputs: 4000 });
}

#[test]
fn matlab_files() {
    fuzz(&Format { name: "mat", draw: draw_mat, read: load, inputs: 4000 });
}
