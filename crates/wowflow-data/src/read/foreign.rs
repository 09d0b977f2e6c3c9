//! Formats that are known and not read: what each is called, and a line that makes one of it that is.

use std::path::Path;

use crate::error::DataError;

/// A format by the first bytes of a file.
struct Foreign {
    magic: &'static [u8],
    name: &'static str,
    instead: &'static str,
}

const SAVE: &str =
    "numpy.savez('data.npz', X=points, y=labels) in Python makes an .npz file of what is in it";
const EXCEL: &str = "in Python: pandas.read_excel(FILE).to_csv('data.csv', index=False), or save it as CSV";
const IMAGE: &str = "name a folder that holds a folder of images a class";
const UNPACK: &str = "unpack it first";
const R: &str = "in R: write.csv(readRDS(FILE), 'data.csv', row.names = FALSE), for .RData after load(FILE)";
const ARROW: &str = "in Python: pandas.read_feather(FILE).to_csv('data.csv', index=False)";

/// Formats of bytes that are no text; a table may have a column `PAR1` or a gene `ORC1`.
const BINARY: [Foreign; 25] = [
    Foreign {
        magic: b"PAR1",
        name: "Parquet",
        instead: "in Python: pandas.read_parquet(FILE).to_csv('data.csv', index=False)",
    },
    Foreign { magic: b"ARROW1", name: "Arrow (Feather)", instead: ARROW },
    Foreign { magic: b"FEA1", name: "Feather", instead: ARROW },
    Foreign {
        magic: b"ORC",
        name: "ORC",
        instead: "in Python: pandas.read_orc(FILE).to_csv('data.csv', index=False)",
    },
    Foreign { magic: b"Obj\x01", name: "Avro", instead: "save it as CSV or as an .npz file" },
    Foreign {
        magic: b"SQLite format 3\0",
        name: "an SQLite database",
        instead: "in Python: pandas.read_sql(QUERY, sqlite3.connect(FILE)).to_csv('data.csv', index=False)",
    },
    Foreign { magic: b"RDX", name: "R data", instead: R },
    Foreign { magic: b"X\n\0\0\0", name: "R data (.rds)", instead: R },
    Foreign { magic: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", name: "an old Office file (.xls)", instead: EXCEL },
    Foreign {
        magic: b"$FL2",
        name: "SPSS data",
        instead: "in Python: pandas.read_spss(FILE).to_csv('data.csv', index=False)",
    },
    Foreign {
        magic: b"<stata_dta>",
        name: "Stata data",
        instead: "in Python: pandas.read_stata(FILE).to_csv('data.csv', index=False)",
    },
    Foreign { magic: b"CDF\x01", name: "netCDF", instead: SAVE },
    Foreign { magic: b"CDF\x02", name: "netCDF", instead: SAVE },
    Foreign { magic: b"%PDF", name: "PDF", instead: "save its table as CSV" },
    Foreign { magic: b"7z\xbc\xaf\x27\x1c", name: "a 7z archive", instead: UNPACK },
    Foreign { magic: b"\xfd7zXZ\0", name: "xz", instead: "unpack it first (unxz FILE), or pack it by gzip" },
    Foreign { magic: b"\x28\xb5\x2f\xfd", name: "Zstandard", instead: "unpack it first (unzstd FILE)" },
    Foreign { magic: b"\x04\x22\x4d\x18", name: "LZ4", instead: "unpack it first (unlz4 FILE)" },
    Foreign { magic: b"Rar!", name: "a RAR archive", instead: UNPACK },
    Foreign { magic: b"GIF8", name: "a single image", instead: IMAGE },
    Foreign { magic: b"II*\0", name: "a single image (TIFF)", instead: IMAGE },
    Foreign { magic: b"MM\0*", name: "a single image (TIFF)", instead: IMAGE },
    Foreign { magic: b"RIFF", name: "a picture, sound or film (RIFF)", instead: IMAGE },
    Foreign { magic: b"\x89PNG", name: "a single image", instead: IMAGE },
    Foreign { magic: b"\xff\xd8\xff", name: "a single image", instead: IMAGE },
];

/// Formats that are text themselves, or begin with it for long.
const TEXT: [Foreign; 7] = [
    Foreign { magic: b"RDA2\nA\n", name: "R data", instead: R },
    Foreign { magic: b"RDA3\nA\n", name: "R data", instead: R },
    Foreign { magic: b"A\n2\n", name: "R data (.rds)", instead: R },
    Foreign { magic: b"A\n3\n", name: "R data (.rds)", instead: R },
    Foreign { magic: b"SIMPLE  =  ", name: "FITS", instead: SAVE },
    Foreign { magic: b"(dp", name: "an old Python pickle (protocol 0)", instead: PICKLE },
    Foreign { magic: b"(lp", name: "an old Python pickle (protocol 0)", instead: PICKLE },
];

const PICKLE: &str = "only pickles of CIFAR-10 are read, and nothing in them is run: after data = pickle.load(open(FILE, 'rb')), numpy.savez('data.npz', X=points, y=labels) makes an .npz file";

fn unsupported(file: &Path, found: &str, instead: &str) -> DataError {
    DataError::Unsupported { file: file.to_owned(), found: found.to_owned(), instead: instead.to_owned() }
}

/// The error about a file whose first bytes, or whose name where they do not say, are those of a format that is not read.
pub(super) fn by_content(head: &[u8], name: &str, file: &Path) -> Option<DataError> {
    if head.starts_with(b"\x89HDF") {
        return Some(hdf5(name, file));
    }
    if head.starts_with(b"MATLAB 7.") {
        let instead = "save it with -v7, or in Python by h5py: numpy.savez('data.npz', X=h5py.File(FILE)['X'][:].T, y=...)";
        return Some(unsupported(file, "MATLAB 7.3 (HDF5)", instead));
    }
    if name.ends_with(".mat") && is_matlab4(head) {
        let instead = "in Python m = scipy.io.loadmat(FILE); numpy.savez('data.npz', X=m['X'], y=m['y'].reshape(-1)), points and labels by the names that they have";
        return Some(unsupported(file, "MATLAB 4", instead));
    }
    if head.starts_with(b"\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") {
        return Some(unsupported(file, "a PyTorch file", TORCH));
    }
    if head.starts_with(b"cnumpy") || head.starts_with(b"ccopy_reg") {
        return Some(unsupported(file, "an old Python pickle (protocol 0)", PICKLE));
    }
    let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let binary = head.iter().any(control);
    let all = BINARY.iter().filter(|_| binary).chain(&TEXT);
    let known = all.into_iter().find(|known| head.starts_with(known.magic));
    known.map(|known| unsupported(file, known.name, known.instead))
}

/// Whether a file begins with an array of MATLAB 4: its type in four decimal digits, extents, the length of its name.
fn is_matlab4(head: &[u8]) -> bool {
    let (words, _) = head.as_chunks::<4>();
    [u32::from_le_bytes, u32::from_be_bytes].into_iter().any(|word| match words {
        [kind, _, _, imaginary, length, ..] => {
            let (kind, length) = (word(*kind), word(*length));
            let digits = [kind / 1000, kind / 100 % 10, kind / 10 % 10, kind % 10];
            digits.iter().zip([4, 0, 5, 2]).all(|(digit, most)| *digit <= most)
                && word(*imaginary) <= 1
                && (1..=64).contains(&length)
        }
        _ => false,
    })
}

/// The error about text that is another format than a table.
pub(super) fn by_text(text: &str, file: &Path) -> Option<DataError> {
    let start: String = text.trim_start().chars().take(64).collect::<String>().to_lowercase();
    let json = start.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', '[']));
    let is =
        |line: &str, word: &str| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    // Comments of ARFF begin as those of MATLAB do.
    let above =
        text.lines().map(str::trim_start).take_while(|line| line.is_empty() || line.starts_with(['%', '@']));
    let (found, instead) = match start.as_str() {
        _ if above.into_iter().any(|line| is(line, "@relation")) => (
            "ARFF",
            "in Python: pandas.DataFrame(scipy.io.arff.loadarff(FILE)[0]).to_csv('data.csv', index=False)",
        ),
        start if json || start.starts_with('{') => (
            "JSON",
            "in Python: pandas.read_json(FILE).to_csv('data.csv', index=False), with lines=True for an object a line",
        ),
        start if start.starts_with("<!doctype") || start.starts_with("<html") => (
            "a web page",
            "download the data that it links to, or in Python: pandas.read_html(FILE)[0].to_csv('data.csv', index=False)",
        ),
        start if start.starts_with('<') => {
            ("XML", "in Python: pandas.read_xml(FILE).to_csv('data.csv', index=False)")
        }
        start if start.starts_with("version https://git-lfs") => {
            ("a pointer of Git LFS", "fetch the file itself (git lfs pull)")
        }
        _ => return None,
    };
    Some(unsupported(file, found, instead))
}

/// What is said of a pickle that is no CIFAR-10 batch.
pub(super) fn pickle(error: DataError) -> DataError {
    match error {
        DataError::Format { file, expected, found } => {
            let found =
                format!("a Python pickle that is no CIFAR-10 batch (expected {expected}, found {found})");
            unsupported(&file, &found, PICKLE)
        }
        other => other,
    }
}

const TORCH: &str =
    "in Python: data = torch.load(FILE), then numpy.savez('data.npz', X=points.numpy(), y=labels.numpy())";

fn hdf5(name: &str, file: &Path) -> DataError {
    if name.ends_with(".h5ad") {
        let instead = "in Python: a = anndata.read_h5ad(FILE); numpy.savez('data.npz', X=a.obsm['X_pca'], \
                       y=a.obs['cell_type'].astype(str)), or other points and labels of it";
        return unsupported(file, "AnnData (HDF5)", instead);
    }
    let instead = "use the LIBSVM text of the same data (NAME.libsvm, .bz2 or not) or an .npz file: in Python \
                   f = h5py.File(FILE); numpy.savez('data.npz', X=f['X'][:], y=f['y'][:]), or what the arrays are called";
    unsupported(file, "HDF5", instead)
}

/// What a zip archive is that has other entries than `.npy` arrays, by their names.
pub(super) fn archive(entries: &[String], file: &Path) -> DataError {
    let has = |is: &dyn Fn(&str) -> bool| entries.iter().any(|entry| is(&entry.to_lowercase()));
    let ends = |ending: &'static str| move |entry: &str| entry.ends_with(ending);
    if has(&|entry| entry.starts_with("xl/")) {
        return unsupported(file, "an Excel workbook (.xlsx)", EXCEL);
    }
    if has(&ends("content.xml")) {
        return unsupported(file, "an OpenDocument file (.ods)", EXCEL);
    }
    if has(&ends("data.pkl")) {
        return unsupported(file, "a PyTorch file", TORCH);
    }
    if has(&ends("model.weights.h5")) {
        return unsupported(file, "a Keras model", "name a dataset");
    }
    let images = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"];
    let names: Vec<&str> =
        entries.iter().filter(|entry| !entry.ends_with(".npy")).take(3).map(String::as_str).collect();
    let found = format!("a zip archive of other files than .npy arrays ({})", names.join(", "));
    let instead = match entries {
        _ if has(&|entry| images.iter().any(|ending| entry.ends_with(ending))) => {
            "unpack it (unzip FILE), and name the folder that holds a folder of images a class"
        }
        [one] if one.to_lowercase().ends_with(".csv") => "unpack it (unzip FILE), and name the CSV",
        _ => "unpack it (unzip FILE), and name what is in it",
    };
    unsupported(file, &found, instead)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::read_path;

    fn error(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = read_path(&path, None).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error.replace(&format!("{}/", folder.path().display()), "")
    }

    fn zip(names: &[&str]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(b"x").unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn tables_whose_first_name_begins_as_a_format_does_are_tables() {
        for name in [
            "PAR1",
            "FEA1",
            "ORC1",
            "RDX",
            "RDA1",
            "ARROW1",
            "Rar!",
            "RIFF",
            "GIF8",
            "MATLAB 5",
            "ORC1,Größe",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.csv");
            let width = name.split(',').count();
            let rows = ["1.5,", "2.5,"].map(|cell| cell.repeat(width));
            std::fs::write(&path, format!("{name},label\n{}a\n{}b\n", rows[0], rows[1])).unwrap();
            let read = read_path(&path, None).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((read.dataset.dim(), read.dataset.class_count()), (width, 2), "{name}");
        }
    }

    #[test]
    fn files_are_named_for_what_they_are_with_a_line_that_converts() {
        let arff = "% iris\n\n@RELATION iris\n@ATTRIBUTE a NUMERIC\n@DATA\n1,x\n";
        for (name, bytes, found, remedy) in [
            ("a.parquet", b"PAR1\x15\x04\x15".to_vec(), "Parquet", "read_parquet"),
            ("a.feather", b"ARROW1\0\0".to_vec(), "Arrow (Feather)", "read_feather"),
            ("a.h5", b"\x89HDF\r\n\x1a\n".to_vec(), "HDF5", "h5py"),
            ("a.h5ad", b"\x89HDF\r\n\x1a\n".to_vec(), "AnnData (HDF5)", "anndata.read_h5ad"),
            ("a.mat", b"MATLAB 7.3 MAT-file, Platform".to_vec(), "MATLAB 7.3 (HDF5)", "-v7"),
            ("a.mat", b"\0\0\0\0\x0c\0\0\0\x03\0\0\0\0\0\0\0\x02\0\0\0X\0".to_vec(), "MATLAB 4", "loadmat"),
            ("a.rds", b"X\n\0\0\0\x03\0\x04".to_vec(), "R data (.rds)", "readRDS"),
            ("a.RData", b"RDX3\nX\n\0".to_vec(), "R data", "load(FILE)"),
            ("a.arff", arff.as_bytes().to_vec(), "ARFF", "loadarff"),
            ("a.json", b"[\n  {\"a\": 1}\n]".to_vec(), "JSON", "read_json"),
            ("a.jsonl", b"{\"a\": 1}\n{\"a\": 2}\n".to_vec(), "JSON", "lines=True"),
            (
                "a.xlsx",
                zip(&["[Content_Types].xml", "xl/workbook.xml"]),
                "an Excel workbook (.xlsx)",
                "read_excel",
            ),
            ("a.pt", zip(&["a/data.pkl", "a/data/0"]), "a PyTorch file", "torch.load"),
            ("a.pth", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec(), "a PyTorch file", "torch.load"),
            (
                "a.zip",
                zip(&["train.csv"]),
                "a zip archive of other files than .npy arrays (train.csv)",
                "name the CSV",
            ),
            ("b.zip", zip(&["a/1.png", "b/2.png"]), "a zip archive", "a folder of images a class"),
            (
                "a.npz",
                zip(&["X.npy", "notes.txt"]),
                "a zip archive of other files than .npy arrays (notes.txt)",
                "unzip",
            ),
            (
                "a.pkl",
                b"\x80\x04\x95\0\0\0\0\0\0\0\0}.".to_vec(),
                "a Python pickle that is no CIFAR-10",
                "pickle.load",
            ),
            ("b.pkl", b"(dp0\nS'X'\np1\n".to_vec(), "an old Python pickle (protocol 0)", "pickle.load"),
            (
                "c.pkl",
                b"cnumpy.core.multiarray\n_reconstruct\n".to_vec(),
                "an old Python pickle",
                "pickle.load",
            ),
            (
                "a.xls",
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0".to_vec(),
                "an old Office file (.xls)",
                "read_excel",
            ),
            ("a.csv.xz", b"\xfd7zXZ\0\0".to_vec(), "xz", "unxz"),
            ("a.csv.zst", b"\x28\xb5\x2f\xfd\0".to_vec(), "Zstandard", "unzstd"),
            ("a.db", b"SQLite format 3\0\0".to_vec(), "an SQLite database", "read_sql"),
            ("a.gif", b"GIF89a\x01\0\x01\0".to_vec(), "a single image", "a folder of images a class"),
            ("a.xml", b"<?xml version='1.0'?><a/>".to_vec(), "XML", "read_xml"),
        ] {
            let error = error(name, &bytes);
            assert!(error.starts_with(&format!("{name}: {found}")), "{error}");
            assert!(error.contains(" cannot be read; ") && error.contains(remedy), "{error}");
        }
    }
}
