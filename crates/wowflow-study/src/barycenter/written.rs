//! A barycenter in its folder.

use std::iter::repeat_n;
use std::path::Path;
use std::time::Instant;

use wowflow_data::npy::NpyArray;
use wowflow_data::write_npz_dataset;

use super::solution::{FILE, Solution};
use super::steps::Step;
use super::summary::Summary;
use crate::error::Result;
use crate::labeled::Origins;
use crate::record::{
    Attachment, Program, Provenance, RunProvenance, Session, config_sha256, write_bytes, write_json,
};

impl Solution {
    /// Writes everything into a new folder, whole or not at all: the configuration, the provenance, the steps, the
    /// barycenter with the labels of every dataset beside its own and the rows that most of the mass of its samples goes
    /// to (`y_1` and `row_1` of the first, -1 where all goes to other classes; `names_1` where it has names), the
    /// pictures given, and last the summary, which is returned.
    ///
    /// # Errors
    /// A folder with content, a place that cannot be written. Nothing is left then.
    pub fn write(&self, out: &Path, program: &Program, pictures: &[Attachment]) -> Result<Summary> {
        let started = Instant::now();
        let run = RunProvenance::new(program, self.config().seed, config_sha256(self.config())?);
        let provenance = Provenance::new(run, self.datasets());
        let mut summary = self.summary();
        Session::whole(out, |run| {
            write_json(&run.provenance(), &provenance)?;
            write_json(&run.config(), self.config())?;
            write_bytes(&run.metrics(), &lines(self.steps())?)?;
            self.write_dataset(&run.file(FILE))?;
            for picture in pictures {
                picture.write(run)?;
                summary.pictures.push(picture.name.clone());
            }
            summary.seconds += started.elapsed().as_secs_f64();
            write_json(&run.summary(), &summary)
        })?;
        Ok(summary)
    }

    fn write_dataset(&self, path: &Path) -> Result<()> {
        let measure = &self.barycenter().measure;
        let classes = || 0..measure.class_count();
        let of_dataset = |k: usize| {
            let labels: Vec<String> =
                classes().flat_map(|c| repeat_n(self.matched_label(k, c), measure.class_size(c))).collect();
            let data = &self.datasets()[k].dataset;
            let row = |class: usize, partner: Option<usize>| {
                partner.map(|index| data.class_rows(self.matched(k, class))[index])
            };
            let rows: Vec<Option<usize>> = classes()
                .flat_map(|c| self.partners(k, c).into_iter().map(move |partner| row(c, partner)))
                .collect();
            let partners = Origins::new(data, rows.iter().copied());
            let names = ["row", "names"].map(|name| format!("{name}_{}", k + 1));
            [(format!("y_{}", k + 1), NpyArray::text([labels.len()], labels))]
                .into_iter()
                .chain(partners.arrays(names))
        };
        let theirs: Vec<(String, NpyArray)> = (0..self.datasets().len()).flat_map(of_dataset).collect();
        let theirs: Vec<(&str, &NpyArray)> = theirs.iter().map(|(name, array)| (&name[..], array)).collect();
        Ok(write_npz_dataset(path, self.dataset(), &theirs)?)
    }
}

fn lines(steps: &[Step]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for step in steps {
        serde_json::to_writer(&mut bytes, step)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
