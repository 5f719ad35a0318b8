//! What the bus shows, as far as it was named and answers.

use mongoferry_bus::{Bus, BusError, BusLimits, look};
use mongoferry_protocol::Finding;
use mongoferry_stage::StageArgs;

use crate::{checks, continuation::Continuation};

#[derive(Default)]
pub(crate) struct BusLook {
    /// Where the report is to be stored. Absent also where nothing is to be left on the bus.
    pub(crate) bus: Option<Bus>,
    pub(crate) limits: Option<BusLimits>,
    pub(crate) continuation: Option<Continuation>,
    pub(crate) findings: Vec<Finding>,
}

impl BusLook {
    /// Opens the migration's part of the bus; with `look_only` just says hello.
    pub(crate) async fn at(args: &StageArgs, look_only: bool) -> Self {
        let looked = if look_only { without_traces(args).await } else { opened(args).await };
        match looked {
            Ok(look) => Self { findings: vec![checks::bus::answers(&args.nats)], ..look },
            Err(error) => Self { findings: vec![checks::bus::fails(&error)], ..Self::default() },
        }
    }
}

async fn opened(args: &StageArgs) -> Result<BusLook, BusError> {
    let bus = Bus::connect(&args.bus_options(), &args.id).await?;
    let (limits, continuation) = (bus.limits().await?, Continuation::read(&bus).await?);
    Ok(BusLook { bus: Some(bus), limits: Some(limits), continuation, findings: Vec::new() })
}

async fn without_traces(args: &StageArgs) -> Result<BusLook, BusError> {
    Ok(BusLook { limits: Some(look(&args.bus_options()).await?), ..BusLook::default() })
}
