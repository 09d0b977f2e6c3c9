//! Datasets that are used together are brought to the same coordinates.

use crate::columns::Columns;
use crate::error::DataError;
use crate::prepared::Prepared;

/// Brings datasets that are used together to the same coordinates: columns with names are put in the order of the first
/// dataset that has any, and what a sparse format left out at the end is 0. Where one sparse dataset counts its features
/// from 0, all do: its first feature is 0 throughout in those that never name it.
///
/// ```
/// use wowflow_data::{Prepared, bring_together};
/// # let folder = tempfile::tempdir()?;
/// # let at = |name: &str| folder.path().join(name).display().to_string();
/// std::fs::write(at("a.csv"), "height,width,kind\n1,2,cat\n3,4,dog\n")?;
/// std::fs::write(at("b.csv"), "kind,width,height\ncat,2,1\ndog,4,3\n")?;
/// let load = |name: &str| wowflow_data::Lookup::default().load(&at(name), 0);
/// let mut both = [load("a.csv")?, load("b.csv")?];
/// bring_together(&mut both)?;
/// assert_eq!(both[0].dataset.points(), both[1].dataset.points());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Tables whose columns have other names.
pub fn bring_together<'a>(datasets: impl IntoIterator<Item = &'a mut Prepared>) -> Result<(), DataError> {
    let mut datasets: Vec<&mut Prepared> = datasets.into_iter().collect();
    let model = datasets.iter().find_map(|data| match &data.columns {
        Columns::Names(names) => Some((data.name.clone(), names.clone())),
        _ => None,
    });
    count_alike(&mut datasets);
    let widest = datasets.iter().map(|data| data.dataset.dim()).max().unwrap_or(0);
    for data in &mut datasets {
        match (&data.columns, &model) {
            (Columns::Names(names), Some((first, model))) if names != model => {
                let order = model.iter().map(|name| names.iter().position(|other| other == name));
                match order.collect::<Option<Vec<usize>>>() {
                    // A name that stands twice would be taken twice.
                    Some(order) if names.len() == model.len() && is_permutation(&order) => {
                        data.dataset = data.dataset.with_columns(&order);
                        data.columns = Columns::Names(model.clone());
                    }
                    _ => return Err(differ((first, model), (&data.name, names))),
                }
            }
            (Columns::Sparse { .. }, _)
                if data.dataset.dim() < widest && data.dataset.image_shape().is_none() =>
            {
                data.dataset = data.dataset.padded(widest);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Puts a feature of zeros before those of sparse datasets that never name a feature 0, where another does.
fn count_alike(datasets: &mut [&mut Prepared]) {
    let from_zero = Columns::Sparse { from_zero: true };
    let Some(model) = datasets.iter().find(|data| data.columns == from_zero).map(|data| data.name.clone())
    else {
        return;
    };
    for data in datasets.iter_mut().filter(|data| data.columns == Columns::Sparse { from_zero: false }) {
        let dim = data.dataset.dim();
        let order: Vec<usize> = [dim].into_iter().chain(0..dim).collect();
        data.dataset = data.dataset.padded(dim + 1).with_columns(&order);
        data.description = format!("{}; features counted from 0, as in {model}", data.description);
        data.columns = from_zero.clone();
    }
}

fn is_permutation(order: &[usize]) -> bool {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..order.len())
}

fn differ((first, model): (&str, &[String]), (other, names): (&str, &[String])) -> DataError {
    let without = |a: &[String], b: &[String]| -> String {
        let mut only: Vec<&str> = a.iter().filter(|name| !b.contains(name)).map(String::as_str).collect();
        let more = only.len().saturating_sub(5);
        only.truncate(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if only.is_empty() { "the same".to_owned() } else { format!("{}{more}", only.join(", ")) }
    };
    DataError::Columns {
        names: [first.to_owned(), other.to_owned()],
        only: [without(model, names), without(names, model)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::Lookup;

    fn prepared(name: &str, text: &str) -> Prepared {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let loaded = Lookup::default().load(&path.display().to_string(), 0).unwrap();
        Prepared { name: name.to_owned(), ..loaded }
    }

    #[test]
    fn sparse_samples_are_as_wide_as_the_widest() {
        let (mut a, mut b) = (prepared("a", "0 1:1 3:2\n1 2:1\n"), prepared("b", "0 1:7\n1 1:8\n"));
        bring_together([&mut a, &mut b]).unwrap();
        assert_eq!((a.dataset.dim(), b.dataset.row(1)), (3, vec![8.0, 0.0, 0.0]));
        // A table says how many columns it has.
        let (mut a, mut b) = (prepared("a", "0 1:1 3:2\n1 2:1\n"), prepared("b", "1,2,x\n3,4,y\n"));
        bring_together([&mut a, &mut b]).unwrap();
        assert_eq!((a.dataset.dim(), b.dataset.dim()), (3, 2));
    }

    #[test]
    fn where_one_sparse_dataset_counts_from_zero_all_do() {
        // Programs leave out a feature that is 0 throughout; the first may be one.
        let (mut a, mut b) = (prepared("a", "0 0:1 2:2\n1 1:1\n"), prepared("b", "0 1:7\n1 2:8\n"));
        bring_together([&mut b, &mut a]).unwrap();
        assert_eq!((a.dataset.row(0), b.dataset.row(0)), (vec![1.0, 0.0, 2.0], vec![0.0, 7.0, 0.0]));
        assert!(b.description.ends_with("features counted from 0, as in a"), "{}", b.description);
        // Where none has a feature 0, they are counted from 1.
        let (mut a, mut b) = (prepared("a", "0 1:1 3:2\n1 2:1\n"), prepared("b", "0 1:7\n1 2:8\n"));
        bring_together([&mut a, &mut b]).unwrap();
        assert_eq!((a.dataset.row(0), b.dataset.row(0)), (vec![1.0, 0.0, 2.0], vec![7.0, 0.0, 0.0]));
    }

    #[test]
    fn tables_of_other_columns_are_refused() {
        let mut a = prepared("a", "u,v,label\n1,2,x\n3,4,y\n");
        for (text, dim) in [("v,label,u\n2,x,1\n4,y,3\n", 2), ("1,2,x\n3,4,y\n", 2)] {
            let mut b = prepared("b", text);
            bring_together([&mut a, &mut b]).unwrap();
            assert_eq!((b.dataset.dim(), b.dataset.points()), (dim, a.dataset.points()), "{text}");
        }
        let mut b = prepared("b", "u,w,label\n1,2,x\n3,4,y\n");
        let error = bring_together([&mut a, &mut b]).unwrap_err().to_string();
        assert!(
            error.starts_with("expected the same columns in a and b, found v in the one and w in the other"),
            "{error}"
        );
    }
}
