//! `--exclude` and `--include`, in the order in which they were given.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";

const EXCLUDE_HELP: &str =
    "Leave out what matches (also directories, with all they hold); may be repeated";
const INCLUDE_HELP: &str = "Take what matches; of all that match the last counts, and where the first is an include, what none matches is left out";

/// What takes part.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// Each with whether it includes.
    pub rules: Vec<(bool, String)>,
}

impl Args for Patterns {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str, help: &'static str| {
            let arg = Arg::new(name).long(name).value_name("PATTERN");
            arg.action(ArgAction::Append).help(help)
        };
        command
            .arg(arg(EXCLUDE, EXCLUDE_HELP))
            .arg(arg(INCLUDE, INCLUDE_HELP))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Patterns {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |name: &str, includes: bool| -> Vec<(usize, (bool, String))> {
            let places = matches.indices_of(name).into_iter().flatten();
            let patterns = matches.get_many::<String>(name).into_iter().flatten();
            let rule = |pattern: &String| (includes, pattern.clone());
            places.zip(patterns.map(rule)).collect()
        };
        let mut rules = given(EXCLUDE, false);
        rules.extend(given(INCLUDE, true));
        rules.sort_by_key(|(place, _)| *place);
        let rules = rules.into_iter().map(|(_, rule)| rule).collect();
        Ok(Self { rules })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;

    #[test]
    fn the_order_of_the_line_is_kept() {
        let line = "ftpc get --include a --exclude=b -r c --include d";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Some(Command::Get(get)) = cli.command else {
            panic!("{cli:?}")
        };
        let rule = |includes: bool, pattern: &str| (includes, pattern.to_owned());
        let Patterns { rules } = get.patterns;
        assert_eq!(rules, [rule(true, "a"), rule(false, "b"), rule(true, "d")]);
    }
}
