//! The figures, as a table and as JSON.

use serde::Serialize;
use std::path::Path;

/// One figure beside its limit.
#[derive(Clone, Debug, Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
    ratio: Option<f64>,
}

/// All figures of a run.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// An empty report.
    pub fn new() -> Report {
        Report::default()
    }

    /// Adds a figure.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str, limit: Option<f64>) {
        let ratio = limit.filter(|limit| *limit > 0.0).map(|limit| value / limit);
        self.figures.push(Figure { name: name.into(), value, unit, limit, ratio });
    }

    /// Prints the table.
    pub fn print(&self) {
        println!("{:<44} {:>12} {:<8} {:>12} {:>8}", "measurement", "value", "unit", "limit", "ratio");
        for figure in &self.figures {
            let optional = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.2}"));
            let (limit, ratio) = (optional(figure.limit), optional(figure.ratio));
            println!("{:<44} {:>12.2} {:<8} {:>12} {:>8}", figure.name, figure.value, figure.unit, limit, ratio);
        }
    }

    /// Writes the JSON list.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_vec_pretty(&self.figures)?)
    }
}

/// The middle of some figures.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
