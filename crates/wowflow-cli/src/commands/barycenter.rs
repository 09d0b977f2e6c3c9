//! stub
use crate::args::BarycenterArgs; use crate::console::Console; use crate::ExitStatus;
pub(crate) fn run(_: &BarycenterArgs, _: &Console) -> anyhow::Result<ExitStatus> { anyhow::bail!("later") }
