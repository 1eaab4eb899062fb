//! Events on the screen: one line a moving file and one for the job, or plain lines.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use tokio::{sync::mpsc::UnboundedReceiver, time::MissedTickBehavior};

use super::{
    Ui, Volume,
    escape::{fit, shown},
    line::{File, arrow, blank_line, console_width, file_line, named},
    rate::Rate,
    table,
    total::Total,
};
use crate::event::{Direction, Event, FileId};

/// Moving files shown at once.
const LINES: usize = 8;

/// Shows events until their sender is gone.
pub async fn show(ui: Ui, mut events: UnboundedReceiver<Event>) {
    let mut screen = Screen::new(ui);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => screen.take(&event),
                None => break,
            },
            _ = tick.tick() => screen.refresh(Instant::now()),
        }
    }
    screen.clear();
}

struct Screen {
    ui: Ui,
    bars: MultiProgress,
    total: Total,
    /// The line of the total, where there are several files.
    total_line: Option<ProgressBar>,
    files: HashMap<FileId, File>,
    /// Bytes of the files that the other side had before.
    kept: HashMap<FileId, u64>,
}

impl Screen {
    fn new(ui: Ui) -> Self {
        let target = if ui.progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            ui,
            bars: MultiProgress::with_draw_target(target),
            total: Total::new(Instant::now()),
            total_line: None,
            files: HashMap::new(),
            kept: HashMap::new(),
        }
    }

    fn line(&self, text: &str) {
        if self.ui.hides_files() {
            return;
        }
        // Not by the bars: without one their line would lack its end, and the next prompt take it.
        self.bars.suspend(|| self.ui.remark(text));
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Planned { files, bytes } => self.plan(*files, *bytes),
            Event::Started {
                id,
                name,
                becomes,
                size,
                direction,
                offset,
            } => {
                let name = named(name, becomes.as_deref());
                self.start(*id, name, *size, *direction, *offset);
            }
            Event::Begun { id, at } => self.begin(*id, *at),
            Event::Advanced { id, bytes } => {
                if let Some(file) = self.files.get_mut(id) {
                    file.bytes = *bytes;
                }
            }
            Event::Finished {
                id,
                bytes,
                took,
                verified,
            } => self.finish(*id, *bytes, *took, *verified),
            Event::Failed { id, name, reason } => self.fail(*id, name, reason),
            Event::Retrying {
                id,
                name,
                attempt,
                wait,
                reason,
            } => {
                self.drop_file(*id);
                let (name, reason) = (shown(name), shown(reason));
                let wait = table::duration(*wait);
                self.line(&format!("{name}: {reason}; try {attempt} in {wait}"));
            }
            Event::Skipped { id, name, reason } => {
                self.skip(*id);
                if self.ui.volume == Volume::Verbose {
                    self.line(&format!("{}: {}", shown(name), shown(reason)));
                }
            }
            Event::Done { what, name } => {
                if self.ui.tells_steps() {
                    self.line(&format!("{what} {}", shown(name)));
                }
            }
            Event::Message { text } => self.line(&shown(text)),
        }
    }

    fn plan(&mut self, files: u64, bytes: u64) {
        self.total.plan(files, bytes);
        if self.ui.progress && self.total.is_of_several() && self.total_line.is_none() {
            let bar = self.bars.add(blank_line());
            self.total_line = Some(bar);
        }
    }

    fn fail(&mut self, id: FileId, name: &str, reason: &str) {
        if let Some(file) = self.drop_file(id) {
            self.total.fail(file.bytes, file.size);
        }
        let text = format!("{}: {}", shown(name), shown(reason));
        if self.ui.progress {
            self.line(&format!("ftpc: {text}"));
        } else {
            self.ui.error(text);
        }
    }

    fn start(
        &mut self,
        id: FileId,
        name: String,
        size: Option<u64>,
        direction: Direction,
        offset: u64,
    ) {
        self.drop_file(id);
        let shown_lines = self
            .files
            .values()
            .filter(|file| file.line.is_some())
            .count();
        let line = (self.ui.progress && shown_lines < LINES).then(|| {
            let bar = blank_line();
            match &self.total_line {
                Some(total) => self.bars.insert_before(total, bar),
                None => self.bars.add(bar),
            }
        });
        let rate = Rate::new(Instant::now(), offset);
        self.files.insert(
            id,
            File {
                line,
                name,
                size,
                direction,
                bytes: offset,
                rate,
            },
        );
    }

    /// What was there before came at no rate.
    fn begin(&mut self, id: FileId, at: u64) {
        self.kept.entry(id).or_insert(at);
        if let Some(file) = self.files.get_mut(&id) {
            self.total.jump(at.saturating_sub(file.bytes));
            file.bytes = at;
            file.rate = Rate::new(Instant::now(), at);
        }
    }

    fn finish(&mut self, id: FileId, bytes: u64, took: Duration, verified: Option<&'static str>) {
        self.total.finish(bytes);
        let kept = self.kept.remove(&id).unwrap_or(0);
        let Some(file) = self.drop_file(id) else {
            return;
        };
        // With moving lines and many files the total is enough.
        if !self.ui.progress || !self.total.is_of_several() || self.ui.volume == Volume::Verbose {
            let arrow = arrow(file.direction);
            let proof = verified.map_or(String::new(), |name| format!(", {name} equal"));
            let (size, time) = (table::size(bytes), table::duration(took));
            self.line(&format!(
                "{arrow} {}  {size} in {time}, {}{proof}",
                file.name,
                table::rate(bytes.saturating_sub(kept), took)
            ));
        }
    }

    /// A file that was counted on is there without a byte.
    fn skip(&mut self, id: FileId) {
        let Some(file) = self.drop_file(id) else {
            return;
        };
        let bytes = file.size.unwrap_or(0);
        self.total.finish(bytes);
        self.total.jump(bytes);
    }

    fn drop_file(&mut self, id: FileId) -> Option<File> {
        let file = self.files.remove(&id)?;
        if let Some(line) = &file.line {
            line.finish_and_clear();
            self.bars.remove(line);
        }
        Some(file)
    }

    fn refresh(&mut self, now: Instant) {
        if !self.ui.progress {
            return;
        }
        let columns = usize::from(console_width());
        let mut moving = 0u64;
        for file in self.files.values_mut() {
            file.rate.update(now, file.bytes);
            moving = moving.saturating_add(file.bytes);
            if let Some(line) = &file.line {
                line.set_message(file_line(file, now, columns));
            }
        }
        self.total.update(now, moving);
        if let Some(line) = &self.total_line {
            let text = self.total.words(now, moving);
            line.set_message(fit(&text, columns.saturating_sub(1)));
        }
    }

    fn clear(&mut self) {
        let _ = self.bars.clear();
    }
}
