//! The sections of an answer, and where it stopped.

/// The sections in their order.
pub(super) struct Sections<'a> {
    sections: Vec<(&'a str, &'a str)>,
    is_partial: bool,
}

impl<'a> Sections<'a> {
    /// Of `text`; a section begins with a line `@@ MARK NAME`.
    pub(super) fn new(text: &'a str, mark: &str, is_partial: bool) -> Self {
        let mark = format!("@@ {mark} ");
        let mut sections = Vec::new();
        let mut open: Option<(&str, usize)> = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            // The name itself can be cut off.
            let Some(name) = line.strip_prefix(&mark).and_then(|rest| rest.strip_suffix('\n')) else {
                continue;
            };
            if let Some((before, from)) = open {
                sections.push((before, &text[from..start]));
            }
            open = Some((name.trim_end(), at));
        }
        if let Some((name, from)) = open {
            sections.push((name, &text[from..]));
        }
        Self { sections, is_partial }
    }

    /// The section in which the answer stopped, or the last one.
    pub(super) fn open(&self) -> Option<&'a str> {
        self.sections.last().map(|(name, _)| *name)
    }

    /// The names of all sections, also of the open one.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a str> {
        self.sections.iter().map(|(name, _)| *name)
    }

    fn whole(&self) -> &[(&'a str, &'a str)] {
        let open = usize::from(self.is_partial);
        &self.sections[..self.sections.len().saturating_sub(open)]
    }

    /// A section that is whole.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.whole().iter().find(|(one, _)| *one == name).map(|(_, text)| *text)
    }

    /// The files of /proc by their names there, as head(1) prints them. Where the answer stopped among
    /// them, those before the last one are whole.
    pub(super) fn files(&self) -> Files<'a> {
        let files = self.sections.iter().find(|(name, _)| *name == "files");
        let mut files = Files::new(files.map_or("", |(_, text)| text));
        if self.is_partial && self.open() == Some("files") {
            files.files.pop();
        }
        files
    }

    /// Why nothing of `name` was told, when that is because the answer stopped before its end.
    pub(super) fn stopped_before(&self, name: &str) -> Option<String> {
        let is_whole = name.is_empty() || self.get(name).is_some();
        let open = self.open().filter(|_| self.is_partial && !is_whole)?;
        Some(format!("it stopped answering at {}", told(open)))
    }
}

/// A section as a person knows it.
fn told(name: &str) -> &str {
    match name {
        "window" => "the wait between the two readings of its CPU",
        "files" => "the files of /proc",
        "processes" => "the count of its processes",
        "clock" => "its clock",
        "filesystems" => "its file systems",
        "mounts" => "its mounts",
        "network" => "its network interfaces",
        "devices" => "its disks",
        _ if name.starts_with("extra") || name.starts_with("status") => "a --command",
        _ => name,
    }
}

/// The files of one head(1).
pub(super) struct Files<'a> {
    files: Vec<(&'a str, &'a str)>,
}

impl<'a> Files<'a> {
    fn new(text: &'a str) -> Self {
        let mut files: Vec<(&str, &str)> = Vec::new();
        let (mut name, mut from, mut at) = ("", 0, 0);
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            if let Some(next) = line.strip_prefix("==> /proc/").and_then(|rest| rest.strip_suffix(" <==\n")) {
                files.push((name, &text[from..start]));
                (name, from) = (next, at);
            }
        }
        files.push((name, &text[from..]));
        files.retain(|(name, _)| !name.is_empty());
        Self { files }
    }

    /// The file `/proc/NAME`.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.files.iter().find(|(one, _)| *one == name).map(|(_, text)| *text)
    }
}
