//! The tests of the base by themselves, without a run.

use implementer_model::{
    gate::CommandReceipt,
    run::{History, MadeBy},
};
use tokio_util::sync::CancellationToken;

use super::{
    error::RunError,
    gates::{self, GateTarget},
    setup::Setup,
};

/// Runs the commands of the tests gate on the base, in a working copy as gates have it.
///
/// # Errors
/// When the outside fails. A command that fails is no error.
pub async fn tests_on_base(setup: Setup, stop: &CancellationToken) -> Result<Vec<CommandReceipt>, RunError> {
    let (run, context) = setup.make_ready(History::default(), MadeBy::EarlierProcess, 0)?;
    let base = GateTarget::base(&run.basis().base.commit);
    let ran = gates::run_one(&context, &run.tests_job(), base, stop).await?;
    Ok(ran.commands)
}
