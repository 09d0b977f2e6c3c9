//! Half way from drawn letters to drawn digits: solved, checked, and written into a folder.

use wowflow_study::geodesic::{Request, Times, solve};
use wowflow_study::record::Program;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut request = Request::new("glyphs:letters:10", "glyphs:digits:10");
    request.settings.times = Times::new(vec![0.0, 0.5, 1.0])?;
    let program = Program { name: "geodesic-example".to_owned(), ..Program::default() };
    let way = solve(&request, &program, &())?;
    println!("W_W2^2 = {:.4}", way.summary().wow2);

    let halfway = way.at(0.5)?.dataset;
    let classes: Vec<String> = halfway.classes().iter().map(ToString::to_string).collect();
    println!("half way: {} samples of the classes {}", halfway.len(), classes.join(", "));

    let folder = tempfile::tempdir()?;
    let summary = way.write(&folder.path().join("run"), &program, &[], &())?;
    let files: Vec<&str> = summary.times.iter().map(|written| written.file.as_str()).collect();
    println!("written: {}", files.join(", "));
    Ok(())
}
