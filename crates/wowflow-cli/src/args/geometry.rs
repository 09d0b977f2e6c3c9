//! The command line of geodesics and barycenters.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use wowflow::auto::Auto;
use wowflow::dataset::Precision;
use wowflow::flow::EXACT_LIMIT;
use wowflow_study::ExactSettings;
use wowflow_study::{barycenter, geodesic};

use super::ends::EndsArgs;
use super::values::by_name;
use super::{ColourArgs, CommonArgs, SizeArgs, parse_count, parse_number, parse_whole};

pub(crate) const GEODESIC_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow geodesic rings:source rings --times 5
  wowflow geodesic 'fashion-mnist[train]:200' 'mnist[train]:200' --times 8
  wowflow geodesic a.npz b.npz --times 0,0.25,1 --out runs/a-to-b
  wowflow geodesic a.npz b.npz --barycentric        one sample a sample, labels of b

Classes and samples are coupled by exact transport; where masses do not match, classes and samples \
split, and the datasets carry weights. The folder holds config.json, provenance.json, summary.json, \
interpolation-NNN.npz for every time (labels such as 3->7; source_row and target_row, and names \
where there are any), classes.png with the distances between classes and the coupling, and \
geodesic.png and .gif for images and points in the plane.",
    datasets!()
);

pub(crate) const BARYCENTER_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow barycenter a.npz b.npz --weights 3,1
  wowflow barycenter 'mnist[train]:60' 'kmnist[train]:60' 'fashion-mnist[train]:60' --out runs/mean

The folder holds config.json, provenance.json, summary.json, barycenter.npz (labels such as 3+7; \
those of the matched classes one by one in y_1, y_2, ..., the rows that most of a sample goes to in \
row_1, ...), metrics.jsonl, objective.png, and barycenter.png for images and points in the plane. \
Ctrl-C stops after the iteration and keeps what is reached.",
    datasets!()
);

/// Options of commands that solve exact transports between datasets.
#[derive(Debug, ClapArgs)]
pub(crate) struct ExactArgs {
    /// Precision of the samples; transport is solved in double precision always. Default: that of the
    /// datasets, double where they differ or single would lose digits that are seen.
    #[arg(long, value_parser = by_name::<Precision>())]
    pub(crate) precision: Option<Precision>,
    /// Seed of generators and of samples drawn.
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = parse_whole)]
    pub(crate) seed: u64,
    /// Refuse classes of more samples than this: exact transport costs the square of them and more.
    #[arg(long, value_name = "N", default_value_t = EXACT_LIMIT, value_parser = parse_count)]
    pub(crate) exact_limit: usize,
    /// Folder to create for the results. Default: runs/ and a name of its own.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
    #[command(flatten)]
    pub(crate) colour: ColourArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `wowflow geodesic`.
#[derive(Debug, ClapArgs)]
pub(crate) struct GeodesicArgs {
    #[command(flatten)]
    pub(crate) ends: EndsArgs,
    /// How many times from 0 to 1, at equal distances; or the times, separated by commas.
    #[arg(long, value_name = "TIMES", default_value = "8", allow_negative_numbers = true)]
    pub(crate) times: geodesic::Times,
    /// Move every sample towards the mean of its ends instead of splitting it: an approximation that
    /// keeps samples and classes of SOURCE, with the labels of the matched classes of TARGET.
    #[arg(long)]
    pub(crate) barycentric: bool,
    /// Solve the transports between neighbouring times anew to see that the speed is constant. Default:
    /// for classes that exchange at most 500 particles.
    #[arg(long, conflicts_with_all = ["no_check", "barycentric"])]
    pub(crate) check: bool,
    /// Leave that out.
    #[arg(long)]
    pub(crate) no_check: bool,
    #[command(flatten)]
    pub(crate) exact: ExactArgs,
}

/// `wowflow barycenter`.
#[derive(Debug, ClapArgs)]
pub(crate) struct BarycenterArgs {
    /// The datasets.
    #[arg(value_name = "DATASET", required = true)]
    pub(crate) datasets: Vec<String>,
    /// Weights of the datasets, separated by commas. Default: equal ones.
    #[arg(long, value_name = "W,W,..", value_delimiter = ',', allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) weights: Option<Vec<f64>>,
    /// Classes of the barycenter. Default: those of the dataset it starts from.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) classes: Option<usize>,
    /// Dataset to start from, one of those given: the barycenter has its class sizes and weights. Default:
    /// the one that promises the smallest objective.
    #[arg(long, value_name = "DATASET")]
    pub(crate) start: Option<String>,
    /// Stop when a step moves the samples by a mean square of at most this part of the objective.
    #[arg(long, value_name = "X", default_value_t = barycenter::Settings::default().tolerance, allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) tolerance: f64,
    /// Stop after this many steps.
    #[arg(long, value_name = "N", default_value_t = barycenter::Settings::default().max_iterations, value_parser = parse_whole)]
    pub(crate) max_iterations: u64,
    #[command(flatten)]
    pub(crate) exact: ExactArgs,
}

impl ExactArgs {
    fn settings(&self) -> ExactSettings {
        ExactSettings { precision: self.precision.into(), seed: self.seed, limit: self.exact_limit }
    }
}

impl GeodesicArgs {
    /// What is asked.
    pub(crate) fn request(&self) -> Result<geodesic::Request> {
        let [source, target] = self.ends.required()?.map(str::to_owned);
        let check = match (self.check, self.no_check) {
            (true, _) => Auto::Given(true),
            (_, true) => Auto::Given(false),
            _ => Auto::Auto,
        };
        let settings = geodesic::Settings {
            times: self.times.clone(),
            barycentric: self.barycentric,
            check,
            exact: self.exact.settings(),
        };
        Ok(geodesic::Request { source, target, settings })
    }
}

impl BarycenterArgs {
    /// What is asked.
    pub(crate) fn request(&self) -> barycenter::Request {
        let settings = barycenter::Settings {
            weights: self.weights.clone().into(),
            classes: self.classes.into(),
            start: self.start.clone().into(),
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
            exact: self.exact.settings(),
        };
        barycenter::Request { datasets: self.datasets.clone(), settings }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    #[test]
    fn what_is_not_typed_is_what_the_library_has() {
        let parsed = Args::try_parse_from(["wowflow", "geodesic", "a", "b"]).unwrap();
        let Command::Geodesic(args) = parsed.command else { panic!("{parsed:?}") };
        assert_eq!(args.request().unwrap(), geodesic::Request::new("a", "b"));
        let parsed = Args::try_parse_from(["wowflow", "barycenter", "a", "b"]).unwrap();
        let Command::Barycenter(args) = parsed.command else { panic!("{parsed:?}") };
        assert_eq!(args.request(), barycenter::Request::new(["a", "b"]));
    }
}
