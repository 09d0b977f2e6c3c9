//! Options for images: they become part of the names of datasets, so that records of runs have them.

use clap::Args as ClapArgs;
use wowflow_data::{Colour, DataError, DatasetSpec, ImageOptions, Size};

use super::Command;

/// Which channels the images of all datasets get.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct ColourArgs {
    /// Make all images grey: of colours 0.299 R + 0.587 G + 0.114 B; alpha is left out. One dataset alone: NAME[grey].
    #[arg(long, conflicts_with = "rgb")]
    pub(crate) grey: bool,
    /// Give all images three channels: of grey three times the same; alpha is left out. One dataset alone: NAME[rgb].
    #[arg(long)]
    pub(crate) rgb: bool,
}

/// Which size the images of all datasets get. The group of a struct does not know the options of one within.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct SizeArgs {
    /// Bring the images of all datasets to this size first, such as 16x16. One dataset alone: NAME[size=16x16].
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub(crate) resize: Option<Size>,
}

impl ColourArgs {
    fn options(&self) -> ImageOptions {
        let colour = match (self.grey, self.rgb) {
            (true, _) => Some(Colour::Grey),
            (_, true) => Some(Colour::Rgb),
            _ => None,
        };
        ImageOptions { colour, size: None }
    }
}

impl SizeArgs {
    fn with(&self, colour: &ColourArgs) -> ImageOptions {
        ImageOptions { size: self.resize, ..colour.options() }
    }
}

impl Command {
    /// Writes what is said of all images into the names of the datasets.
    ///
    /// # Errors
    /// Names that cannot be understood.
    pub(crate) fn name_images(&mut self) -> Result<(), DataError> {
        let (options, mut names): (ImageOptions, Vec<&mut String>) = match self {
            Self::Flow(args) => {
                let options = args.size.with(&args.colour);
                if !options.is_empty() && args.resume.is_none() {
                    let usual = wowflow_study::flow::Request::default();
                    args.ends.or(usual.source, usual.target);
                }
                (options, args.ends.names())
            }
            Self::Info(args) => (args.size.with(&args.colour), vec![&mut args.dataset]),
            Self::Geodesic(args) => (args.exact.size.with(&args.exact.colour), args.ends.names()),
            Self::Barycenter(args) => (
                args.exact.size.with(&args.exact.colour),
                args.datasets.iter_mut().chain(&mut args.start).collect(),
            ),
            Self::Distance(args) => (args.colour.options(), args.ends.names()),
            Self::Pairwise(args) => (args.colour.options(), args.datasets.iter_mut().collect()),
            #[cfg(feature = "learn")]
            Self::Adapt(args) => (args.pair.experiment.colour.options(), args.pair.ends.names()),
            #[cfg(feature = "learn")]
            Self::Transfer(args) => {
                let options = args.pair.experiment.colour.options();
                (options, args.pair.ends.names().into_iter().chain(&mut args.test).collect())
            }
            #[cfg(feature = "learn")]
            Self::Distill(args) => {
                (args.experiment.colour.options(), args.dataset.iter_mut().chain(&mut args.test).collect())
            }
            _ => return Ok(()),
        };
        if !options.is_empty() {
            for name in &mut names {
                **name = name.parse::<DatasetSpec>()?.with_images(options).to_string();
            }
        }
        Ok(())
    }
}
