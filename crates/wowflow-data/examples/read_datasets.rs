//! What is read under a dataset's name, as a line of JSON each: labels and coordinates sample after sample, or the error.
//!
//! Names stand on the command line, or a line each in a file: `read_datasets -f names.txt`.

use std::io::{BufWriter, Write};

use serde_json::{Value, json};
use wowflow::dataset::Label;
use wowflow_data::{DataError, Lookup};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names = match &arguments[..] {
        [] => vec!["gaussians:1".to_owned()],
        [option, file] if option == "-f" => {
            std::fs::read_to_string(file)?.lines().map(str::to_owned).collect()
        }
        names => names.to_vec(),
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for name in &names {
        let read = read(name).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{read}")?;
    }
    out.flush()?;
    Ok(())
}

fn read(name: &str) -> Result<Value, DataError> {
    let prepared = Lookup::default().load(name, 0)?;
    let data = &prepared.dataset;
    let label = |row: usize| match data.label(row) {
        Label::Int(number) => json!(number),
        Label::Text(text) => json!(&**text),
    };
    let rows: Vec<Vec<f64>> = (0..data.len()).map(|row| data.row(row)).collect();
    Ok(json!({
        "labels": (0..data.len()).map(label).collect::<Vec<Value>>(),
        "rows": rows,
        "weights": data.sample_weights(),
        "shape": data.image_shape().map(|shape| [shape.height, shape.width, shape.channels]),
        "description": prepared.description,
    }))
}
