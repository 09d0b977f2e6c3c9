//! CIFAR-10 batches, binary and pickled, and archives of them.

use crate::harness::{Files, Format, fuzz};
use crate::mutate::Mutator;
use crate::pack::{gz, load};

fn binary(m: &mut Mutator, rows: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..rows {
        let (label, pixel) = (m.below(10) as u8, m.next() as u8);
        out.push(label);
        out.resize(out.len() + 3072, pixel);
    }
    m.touch(out)
}

/// A batch as Python wrote it.
fn pickled(m: &mut Mutator, rows: usize) -> Vec<u8> {
    let mut out = b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(".to_vec();
    for _ in 0..rows {
        let label = m.below(10) as u8;
        match m.below(3) {
            0 => out.extend([b'K', label]),
            1 => out.extend([b'M', label, 0]),
            _ => out.extend([b'J', label, 0, 0, 0]),
        }
    }
    out.extend(b"eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85");
    out.extend(b"U\x01b\x87Rq\x07(K\x01K");
    out.push(rows as u8);
    out.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09");
    out.extend(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
    // What is changed at random is the program; the pixels are many, and all alike.
    let mut out = m.touch(out);
    out.extend((3072 * rows as u32).to_le_bytes());
    out.resize(out.len() + 3072 * rows, 7);
    out.extend(b"tbu.");
    out
}

fn draw_binary(m: &mut Mutator) -> Files {
    let rows = 1 + m.below(2);
    vec![("a.bin", binary(m, rows))]
}

fn draw_pickle(m: &mut Mutator) -> Files {
    let rows = 1 + m.below(2);
    let (batch, other) = (pickled(m, rows), pickled(m, 1));
    let batch = m.spliced(batch, &other);
    vec![("data_batch_1", if m.one_in(4) { gz(&batch) } else { batch })]
}

fn draw_archive(m: &mut Mutator) -> Files {
    let mut builder = tar::Builder::new(Vec::new());
    for number in 1..=5 {
        let bytes = if m.one_in(2) { pickled(m, 1) } else { binary(m, 1) };
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, format!("b/data_batch_{number}"), &bytes[..]).unwrap();
    }
    let archive = builder.into_inner().unwrap();
    let archive = m.touch(archive);
    vec![("c.tar", if m.one_in(4) { gz(&archive) } else { archive })]
}

#[test]
fn binary_batches() {
    fuzz(&Format { name: "cifar-binary", draw: draw_binary, read: load, inputs: 3000 });
}

#[test]
fn pickles() {
    fuzz(&Format { name: "pickle", draw: draw_pickle, read: load, inputs: 4000 });
}

#[test]
fn archives_of_batches() {
    fuzz(&Format { name: "tar", draw: draw_archive, read: load, inputs: 2000 });
}
