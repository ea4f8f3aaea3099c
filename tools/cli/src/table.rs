//! Text tables: a line of titles, a line of dashes, rows in columns as wide as their widest cell.

/// A table in the making.
#[derive(Debug)]
pub struct Table {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(titles: &[&str]) -> Table {
        Table { titles: titles.iter().map(|title| title.to_string()).collect(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, cells beyond the columns are dropped.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.titles.len(), String::new());
        self.rows.push(row);
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, each line ended.
    pub fn render(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| &row[column]).chain([&self.titles[column]]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.titles.len()).map(width).collect();
        let dashes: Vec<String> = self.titles.iter().map(|title| "-".repeat(title.chars().count())).collect();
        let mut text = String::new();
        for row in [&self.titles, &dashes].into_iter().chain(&self.rows) {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text.push_str(line.join(" ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: columns line up by characters, and short and long rows are tolerated.
    #[test]
    fn columns() {
        let mut table = Table::new(&["Pool", "State"]);
        assert!(table.is_empty());
        table.row(["tänk-of-plenty", "Ready"]);
        table.row(["b"]);
        table.row(["c", "d", "dropped"]);
        assert_eq!(
            table.render(),
            "Pool           State\n----           -----\ntänk-of-plenty Ready\nb\nc              d\n"
        );
    }
}
