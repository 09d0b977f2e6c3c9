//! The command line of what needs classifiers: adapt, transfer, distill, reproduce.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use wowflow::auto::Auto;
use wowflow::name::Named;
use wowflow_data::Size;
use wowflow_study::experiment::{
    Architecture, AugmentationSet, DISTILLING_BATCH, DISTILLING_EPOCHS, DISTILLING_RUNS, ENLARGED, Embed,
    LOOK_EVERY, MethodKind, PER_CLASS, TRAINING_STEPS, TRANSFER_EPOCHS, TRANSFER_RUNS, TRIALS,
};

use super::ends::EndsArgs;
use super::values::by_name;
use super::{ColourArgs, CommonArgs, parse_count, parse_positive, parse_whole};

pub(crate) const TRANSFER_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow transfer 'mnist[train]:200' 'fashion-mnist[train]:5' --test 'fashion-mnist[test]'
  wowflow transfer big/ small/                          folders with a folder of images a class
  wowflow transfer a.npz b.npz:10 --methods target-only,mmd-sw --tries 5
  wowflow transfer --resume runs/transfer               go on after Ctrl-C or a crash

Without --test, samples of the target that are not drawn are the test set: what NAME:k leaves, or a fifth. \
The folder holds config.json, provenance.json, repetitions.jsonl (one line a method and try, written when it is \
finished), results.json, results.md, results-by-row.png (the table to look at), and samples/ with what the first try \
moved, as .npz and .png.",
    datasets!()
);

pub(crate) const ADAPT_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow adapt 'fashion-mnist[train]:500' 'mnist[train]:500'
  wowflow adapt a/ b/ --classifier mine.safetensors
  wowflow adapt 'usps:100' 'mnist[train]:100' --save-classifier lenet.safetensors --network lenet5

A classifier is trained on the target; the table and the curves say how it sees the source on its way there, classes \
matched with the target's by exact transport. The folder holds what that of transfer does but samples/, and \
curves in results-steps.png and results-seconds.png in place of its picture.",
    datasets!()
);

pub(crate) const DISTILL_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow distill 'mnist[train]:5000' --test 'mnist[test]' --per-class 10
  wowflow distill photos/ --per-class 5 --augment upright --embed --steps 200
  wowflow distill a.npz --methods random,mmd-sw,mean-matching --network mlp
  wowflow distill photos/ --embed=lenet.safetensors     through a network trained before
  wowflow distill --resume runs/distill

Few samples a class are made of many; a network trained on them alone is tested. Without --test, a fifth of the \
dataset is held out. The folder holds what that of transfer does: samples/ has the distilled sets as .npz and .png.",
    datasets!()
);

pub(crate) const REPRODUCE_EXAMPLES: &str = "\
Examples:
  wowflow reproduce --list
  wowflow reproduce transfer-mnist-fmnist --quick
  wowflow reproduce adaptation
  wowflow reproduce transfer-mnist-usps --rows 1,5 --methods 'target only,ours'
  wowflow reproduce mine.toml --out results

Finished repetitions are kept in runs/reproduce/NAME; the same command goes on from there, and from results that are \
there already. Repetitions of other settings are refused, never overwritten. What is there is collected in \
results/NAME.json, results/NAME.md and pictures beside them, also where cells are missing.";

/// Options of every experiment that the command line puts together.
#[derive(Debug, ClapArgs)]
pub(crate) struct ExperimentArgs {
    /// Bring all images to this size. Default: that of the target, or none where there is no source.
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub(crate) resize: Option<Size>,
    #[command(flatten)]
    pub(crate) colour: ColourArgs,
    /// The network that is trained.
    #[arg(long, value_name = "NETWORK", default_value = "auto", value_parser = network())]
    pub(crate) network: Auto<Architecture>,
    /// Tries, each with other samples, another flow and other trainings.
    #[arg(long, value_name = "N", default_value_t = TRIALS, value_parser = parse_positive)]
    pub(crate) tries: u64,
    /// Seed of everything random.
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = parse_whole)]
    pub(crate) seed: u64,
    /// Run directory to create. Default: runs/ and a name of its own.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with an interrupted run, with the configuration stored there.
    #[arg(long, value_name = "DIR", conflicts_with = "ColourArgs")]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Options that experiments on two datasets share.
#[derive(Debug, ClapArgs)]
pub(crate) struct PairArgs {
    #[command(flatten)]
    pub(crate) ends: EndsArgs,
    /// Steps of every method that flows. Default: 300, in a transfer 100; of otdd 5000, of product 20000.
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    pub(crate) steps: Option<u64>,
    /// Of mmd-sw, the published flow with this constant step in place of ours: 500 independent directions, momentum
    /// 0.9.
    #[arg(long, value_name = "TAU", requires = "steps", value_parser = super::parse_number)]
    pub(crate) published_tau: Option<f64>,
    #[command(flatten)]
    pub(crate) experiment: ExperimentArgs,
}

/// `wowflow transfer`.
#[derive(Debug, ClapArgs)]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// Test set of the target. Default: samples of the target that are not drawn.
    #[arg(long, value_name = "DATASET")]
    pub(crate) test: Option<String>,
    /// Methods, compared on the same samples. Default: target-only, mmd-sw and geodesic.
    #[arg(long, value_name = "LIST", value_parser = by_name::<MethodKind>(), value_delimiter = ',')]
    pub(crate) methods: Vec<MethodKind>,
    /// Of mmd-sw, enlarge few images of the target to N a class by small shifts, turns and scales before the source
    /// moves there; 0 does not. With --published-tau: 0.
    #[arg(long, value_name = "N", default_value_t = ENLARGED, value_parser = parse_amount)]
    pub(crate) enlarge: usize,
    /// Classifiers trained in each try.
    #[arg(long, value_name = "N", default_value_t = TRANSFER_RUNS, value_parser = parse_count)]
    pub(crate) trainings: usize,
    /// Epochs of a training.
    #[arg(long, value_name = "N", default_value_t = TRANSFER_EPOCHS, value_parser = parse_positive)]
    pub(crate) epochs: u64,
}

/// `wowflow adapt`.
#[derive(Debug, ClapArgs)]
pub(crate) struct AdaptArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// Methods, compared on the same samples. Default: mmd-sw and geodesic.
    #[arg(long, value_name = "LIST", value_parser = by_name::<MethodKind>(), value_delimiter = ',')]
    pub(crate) methods: Vec<MethodKind>,
    /// Look every N steps.
    #[arg(long, value_name = "N", default_value_t = LOOK_EVERY, value_parser = parse_positive)]
    pub(crate) every: u64,
    /// Steps of the optimiser that the classifier is trained for.
    #[arg(long, value_name = "N", default_value_t = TRAINING_STEPS, value_parser = parse_positive)]
    pub(crate) training_steps: u64,
    /// A trained classifier in place of one trained on the target.
    #[arg(long, value_name = "FILE", conflicts_with = "save_classifier")]
    pub(crate) classifier: Option<PathBuf>,
    /// Write the classifier of the first try, as safetensors.
    #[arg(long, value_name = "FILE")]
    pub(crate) save_classifier: Option<PathBuf>,
}

/// `wowflow distill`.
#[derive(Debug, ClapArgs)]
pub(crate) struct DistillArgs {
    /// The dataset.
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    pub(crate) dataset: Option<String>,
    /// Samples of every class; classes that have fewer are taken whole.
    #[arg(long, value_name = "P", default_value_t = PER_CLASS, value_parser = parse_count)]
    pub(crate) per_class: usize,
    /// Test set. Default: a fifth of the dataset, held out.
    #[arg(long, value_name = "DATASET")]
    pub(crate) test: Option<String>,
    /// Methods, compared on the same samples. Default: random and matched-sw.
    #[arg(long, value_name = "LIST", value_parser = by_name::<MethodKind>(), value_delimiter = ',')]
    pub(crate) methods: Vec<MethodKind>,
    /// Augment both sides of a step.
    #[arg(long, value_name = "SET", value_parser = by_name::<AugmentationSet>())]
    pub(crate) augment: Option<AugmentationSet>,
    /// Compare features of a network in place of samples: --embed takes a fresh random one every step, --embed=fixed
    /// the same random one, --embed=FILE one that `wowflow adapt --save-classifier` wrote.
    #[arg(long, value_name = "NETWORK", num_args = 0..=1, require_equals = true, default_missing_value = "fresh")]
    pub(crate) embed: Option<Embed>,
    /// Samples of every class of the dataset a step; 0 takes all.
    #[arg(long, value_name = "N", default_value_t = DISTILLING_BATCH, value_parser = parse_amount)]
    pub(crate) target_batch: usize,
    /// Steps of the flow. Default: 1000, with --embed 300.
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    pub(crate) steps: Option<u64>,
    /// Epochs of a training.
    #[arg(long, value_name = "N", default_value_t = DISTILLING_EPOCHS, value_parser = parse_positive)]
    pub(crate) epochs: u64,
    /// Networks trained in each try.
    #[arg(long, value_name = "N", default_value_t = DISTILLING_RUNS, value_parser = parse_count)]
    pub(crate) trainings: usize,
    #[command(flatten)]
    pub(crate) experiment: ExperimentArgs,
}

/// `wowflow reproduce`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReproduceArgs {
    /// An experiment that comes with the program, or a TOML file.
    #[arg(required_unless_present = "list")]
    pub(crate) name: Option<String>,
    /// Name the experiments that come with the program.
    #[arg(long)]
    pub(crate) list: bool,
    /// A small version that takes minutes, under a name of its own.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these rows.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) rows: Option<Vec<String>>,
    /// Only these methods, by their names in the experiment.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) methods: Option<Vec<String>>,
    /// Only the first N tries of every row and method.
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    pub(crate) tries: Option<u64>,
    /// Only the first N trainings of every repetition. Asked for more later, repetitions with fewer are made anew.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) trainings: Option<usize>,
    /// Go on without finished repetitions whose settings the experiment no longer has: they go to outdated.jsonl.
    #[arg(long)]
    pub(crate) set_aside: bool,
    /// Folder for the results.
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    /// Folder for finished repetitions.
    #[arg(long, value_name = "DIR", default_value = "runs/reproduce")]
    pub(crate) runs: PathBuf,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `auto`, or a network by name.
fn network() -> impl TypedValueParser<Value = Auto<Architecture>> {
    let auto = "LeNet-5 for images that it fits (28x28), else the ConvNet; a perceptron for vectors. For adapt: the CNN.";
    let named = |of: &Architecture| PossibleValue::new(of.name()).help(of.summary());
    let all = [PossibleValue::new("auto").help(auto)].into_iter().chain(Architecture::ALL.iter().map(named));
    PossibleValuesParser::new(all).try_map(|text| text.parse::<Auto<Architecture>>())
}

/// A whole number that may be 0.
fn parse_amount(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("expected a whole number of at least 0, found `{text}`"))
}
