//! Every fault of a file, in its order.

use std::{cell::RefCell, ops::Range};

use crate::{error::Fault, source::Source};

/// The faults of one file.
#[derive(Debug)]
pub(crate) struct Faults<'s> {
    source: &'s Source,
    list: RefCell<Vec<(usize, Fault)>>,
}

impl<'s> Faults<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self {
            source,
            list: RefCell::default(),
        }
    }

    pub(crate) fn source(&self) -> &'s Source {
        self.source
    }

    /// Notes a fault; without a span it is about the file as a whole.
    pub(crate) fn add(
        &self,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let place = span.as_ref().map(|span| self.source.place(span));
        let fault = Fault {
            what: what.into(),
            place,
            fix: fix.into(),
        };
        self.list
            .borrow_mut()
            .push((span.map_or(usize::MAX, |span| span.start), fault));
    }

    /// Returns every fault in file order.
    pub(crate) fn into_list(self) -> Vec<Fault> {
        let mut list = self.list.into_inner();
        list.sort_by_key(|(at, _)| *at);
        list.into_iter().map(|(_, fault)| fault).collect()
    }
}
