//! Which lines are heeded while something runs.

use crate::protocol::{Command, Fault, command, line::Line};

pub(super) enum Urgency {
    None,
    Now,
    Abort,
    Last,
}

pub(super) fn urgency(line: &Line) -> Urgency {
    let Line::Text(bytes) = line else {
        return Urgency::None;
    };
    match command::parse(bytes) {
        Ok(Command::Noop) => Urgency::Now,
        Ok(Command::Stat(args)) if args.typed.is_none() && args.name.is_none() => Urgency::Now,
        Ok(Command::Abor) => Urgency::Abort,
        Ok(Command::Quit) => Urgency::Last,
        Err(Fault::Http) => Urgency::None,
        _ => Urgency::None,
    }
}
