//! Aggregations, and how those of several targets become one.

use super::evaluate::{Datum, Record};
use super::program::Program;
use crate::Result;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AggregateKind {
    Sum,
    Min,
    Max,
    Avg,
}

/// What is kept of the values of one aggregation.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Aggregate {
    /// Values that were there.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest; infinite without values.
    pub min: f64,
    /// The largest; minus infinity without values.
    pub max: f64,
}

impl Default for Aggregate {
    fn default() -> Aggregate {
        Aggregate { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Aggregate {
    fn add(&mut self, value: f64) {
        self.merge(&Aggregate { count: 1, sum: value, min: value, max: value });
    }

    fn merge(&mut self, other: &Aggregate) {
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// The aggregations of a pipeline.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Aggregates(pub Vec<Aggregate>);

impl Aggregates {
    /// Those of no records.
    pub fn new(program: &Program) -> Aggregates {
        Aggregates(vec![Aggregate::default(); program.aggregations.len()])
    }

    /// Takes in a record.
    ///
    /// # Errors
    /// As [`Program::accepts`].
    pub fn add(&mut self, program: &Program, record: &Record<'_>) -> Result<()> {
        for (aggregate, (_, operand)) in self.0.iter_mut().zip(&program.aggregations) {
            match operand.value(record)? {
                Some(Datum::Unsigned(value)) => aggregate.add(value as f64),
                Some(Datum::Signed(value)) => aggregate.add(value as f64),
                Some(Datum::Real(value)) => aggregate.add(value),
                Some(Datum::Text(_)) | None => {}
            }
        }
        Ok(())
    }

    /// Takes in those of other records; missing ones are those of none.
    pub fn merge(&mut self, other: &Aggregates) {
        self.0.iter_mut().zip(&other.0).for_each(|(aggregate, other)| aggregate.merge(other));
    }

    /// The results. Of no values: 0 (sum, mean), infinite (smallest), minus infinity (largest).
    pub fn results(&self, program: &Program) -> Vec<f64> {
        let result = |(aggregate, (kind, _)): (&Aggregate, &(AggregateKind, _))| match kind {
            AggregateKind::Sum => aggregate.sum,
            AggregateKind::Min => aggregate.min,
            AggregateKind::Max => aggregate.max,
            AggregateKind::Avg if aggregate.count == 0 => 0.0,
            AggregateKind::Avg => aggregate.sum / aggregate.count as f64,
        };
        self.0.iter().zip(&program.aggregations).map(result).collect()
    }
}
