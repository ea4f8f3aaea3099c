//! From parts in prefix order to expressions, with every check.

use super::aggregate::AggregateKind;
use super::evaluate::{Arithmetic, Comparison, Condition, Operand, Source, Whence};
use super::{Class, DataType, Filter, FilterKind, Part, PartKind, Pipeline};
use crate::{Der, Error, Result};

/// Filters of one pipeline.
const FILTERS_MAX: usize = 1024;
/// Parts of one filter.
const PARTS_MAX: usize = 4096;
/// Functions inside functions.
const DEPTH_MAX: u32 = 64;

/// A pipeline, understood.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    pub(super) conditions: Vec<Condition>,
    pub(super) aggregations: Vec<(AggregateKind, Operand)>,
}

impl Program {
    /// Checks and understands a pipeline.
    ///
    /// # Errors
    /// `INVAL`: filters of the wrong kind, or parts that make no sense together.
    pub fn new(pipeline: &Pipeline) -> Result<Program> {
        if pipeline.conditions.len() + pipeline.aggregations.len() > FILTERS_MAX {
            return Err(Der::INVAL.err(format!("a pipeline of more than {FILTERS_MAX} filters")));
        }
        let conditions = pipeline.conditions.iter().enumerate().map(|(number, filter)| {
            let at = |error: Error| error.at(format_args!("condition {number}"));
            whole(filter, FilterKind::Condition, Reader::condition).map_err(at)
        });
        let conditions = conditions.collect::<Result<Vec<_>>>()?;
        let aggregations = pipeline.aggregations.iter().enumerate().map(|(number, filter)| {
            let at = |error: Error| error.at(format_args!("aggregation {number}"));
            whole(filter, FilterKind::Aggregation, Reader::aggregation).map_err(at)
        });
        Ok(Program { conditions, aggregations: aggregations.collect::<Result<Vec<_>>>()? })
    }

    /// Number of aggregations.
    pub fn aggregations(&self) -> usize {
        self.aggregations.len()
    }

    /// Whether the value of an akey plays a part.
    pub fn reads(&self, akey: &[u8]) -> bool {
        self.conditions.iter().any(|condition| condition.reads(akey))
            || self.aggregations.iter().any(|(_, operand)| operand.reads(akey))
    }
}

/// Reads a filter whose parts must all belong to one expression.
fn whole<'a, T>(filter: &'a Filter, kind: FilterKind, read: impl FnOnce(&mut Reader<'a>) -> Result<T>) -> Result<T> {
    if filter.kind != kind {
        return Err(wrong(format!("a filter of type {} stands among those of {}", filter.kind.name(), kind.name())));
    }
    if filter.parts.len() > PARTS_MAX {
        return Err(wrong(format!("more than {PARTS_MAX} parts")));
    }
    let mut reader = Reader { parts: &filter.parts, at: 0, depth: 0 };
    let read = read(&mut reader)?;
    match reader.at == filter.parts.len() {
        true => Ok(read),
        false => Err(wrong(format!("{} parts, of which {} belong together", filter.parts.len(), reader.at))),
    }
}

fn wrong(text: impl Into<String>) -> Error {
    Der::INVAL.err(text.into())
}

/// The parts, and how far they are read.
struct Reader<'a> {
    parts: &'a [Part],
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Result<&'a Part> {
        let parts = self.parts;
        parts.get(self.at).ok_or_else(|| wrong(format!("{} parts, and more operands", parts.len())))
    }

    fn next(&mut self) -> Result<&'a Part> {
        let part = self.peek()?;
        self.at += 1;
        Ok(part)
    }

    /// Reads what is inside a function.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(wrong(format!("functions inside functions, more than {DEPTH_MAX} deep")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn condition(&mut self) -> Result<Condition> {
        self.inside(|reader| {
            let part = reader.next()?;
            let many = |reader: &mut Self| {
                if part.operands < 2 {
                    return Err(wrong(format!("{} of {} operands", part.kind.name(), part.operands)));
                }
                (0..part.operands).map(|_| reader.condition()).collect::<Result<Vec<_>>>()
            };
            match part.kind {
                PartKind::And => many(reader).map(Condition::And),
                PartKind::Or => many(reader).map(Condition::Or),
                PartKind::Not => {
                    check_operands(part, 1)?;
                    Ok(Condition::Not(Box::new(reader.condition()?)))
                }
                PartKind::IsNull | PartKind::IsNotNull => {
                    check_operands(part, 1)?;
                    let (akey, at) = (reader.next()?, reader.at);
                    if akey.kind != PartKind::Akey {
                        return Err(wrong(format!("part {}: only an akey can be null", at - 1)));
                    }
                    let source = one_source(akey)?;
                    Ok(Condition::Null { source, wanted: part.kind == PartKind::IsNull })
                }
                PartKind::Like => {
                    check_operands(part, 2)?;
                    let (text, pattern) = (reader.source(false)?, reader.source(false)?);
                    let [text, pattern] = [text, pattern].map(|mut sources| sources.pop());
                    match (text, pattern) {
                        (Some(text), Some(pattern)) if text.is_text() && pattern.is_text() => {
                            Ok(Condition::Like { text, pattern })
                        }
                        _ => Err(wrong("LIKE of numbers")),
                    }
                }
                _ => reader.comparison(part),
            }
        })
    }

    fn comparison(&mut self, part: &Part) -> Result<Condition> {
        let comparison = match part.kind {
            PartKind::Eq | PartKind::In => Comparison::Eq,
            PartKind::Ne => Comparison::Ne,
            PartKind::Lt => Comparison::Lt,
            PartKind::Le => Comparison::Le,
            PartKind::Ge => Comparison::Ge,
            PartKind::Gt => Comparison::Gt,
            other => return Err(wrong(format!("{} where a condition is to stand", other.name()))),
        };
        check_operands(part, 2)?;
        let (left, class) = self.operand()?;
        let own = part.data_type.map(DataType::class);
        check_classes(part, own.unwrap_or(class), class)?;
        let right = match self.peek()?.kind {
            PartKind::Const => {
                let constants = self.source(true)?;
                constants.into_iter().map(|source| (source.class(), Operand::Source(source))).collect()
            }
            _ => {
                let (right, class) = self.operand()?;
                vec![(class, right)]
            }
        };
        right.iter().try_for_each(|(other, _)| check_classes(part, class, *other))?;
        let right = right.into_iter().map(|(_, operand)| operand).collect();
        Ok(Condition::Compare { comparison, left, right })
    }

    /// A number or text that is computed, or read.
    fn operand(&mut self) -> Result<(Operand, Class)> {
        self.inside(|reader| {
            let part = reader.peek()?;
            let arithmetic = match part.kind {
                PartKind::Add => Arithmetic::Add,
                PartKind::Sub => Arithmetic::Sub,
                PartKind::Mul => Arithmetic::Mul,
                PartKind::Div => Arithmetic::Div,
                PartKind::BitAnd => Arithmetic::BitAnd,
                _ => {
                    let source = reader.source(false)?.pop().ok_or_else(|| wrong("a constant without value"))?;
                    let class = source.class();
                    return Ok((Operand::Source(source), class));
                }
            };
            reader.next()?;
            check_operands(part, 2)?;
            let (left, class) = reader.operand()?;
            let (right, other) = reader.operand()?;
            check_classes(part, class, other)?;
            check_classes(part, part.data_type.map_or(class, DataType::class), class)?;
            if class == Class::Text || (class == Class::Real && arithmetic == Arithmetic::BitAnd) {
                return Err(wrong(format!("{} of {class:?}", part.kind.name())));
            }
            Ok((Operand::Computed { arithmetic, both: Box::new((left, right)) }, class))
        })
    }

    /// A dkey, an akey or constants; several constants only if `several`.
    fn source(&mut self, several: bool) -> Result<Vec<Source>> {
        let part = self.next()?;
        let sources = match part.kind {
            PartKind::Const => {
                let constants = part.constants.iter().map(|constant| check_constant(part, constant));
                constants.collect::<Result<Vec<_>>>()?
            }
            _ => vec![one_source(part)?],
        };
        match sources.len() {
            0 => Err(wrong("a constant without value")),
            1 => Ok(sources),
            _ if several => Ok(sources),
            count => Err(wrong(format!("{count} constants where one is to stand"))),
        }
    }

    fn aggregation(&mut self) -> Result<(AggregateKind, Operand)> {
        let part = self.next()?;
        let kind = match part.kind {
            PartKind::Sum => AggregateKind::Sum,
            PartKind::Min => AggregateKind::Min,
            PartKind::Max => AggregateKind::Max,
            PartKind::Avg => AggregateKind::Avg,
            other => return Err(wrong(format!("{} where an aggregation is to stand", other.name()))),
        };
        check_operands(part, 1)?;
        let (operand, class) = self.operand()?;
        if class == Class::Text {
            return Err(wrong(format!("{} of texts", part.kind.name())));
        }
        Ok((kind, operand))
    }
}

fn check_operands(part: &Part, wanted: u32) -> Result<()> {
    match part.operands == wanted {
        true => Ok(()),
        false => Err(wrong(format!("{} of {} operands; it has {wanted}", part.kind.name(), part.operands))),
    }
}

fn check_classes(part: &Part, one: Class, other: Class) -> Result<()> {
    match one == other {
        true => Ok(()),
        false => Err(wrong(format!("{} of {one:?} and {other:?}", part.kind.name()))),
    }
}

fn data_type(part: &Part) -> Result<DataType> {
    check_operands(part, 0)?;
    part.data_type.ok_or_else(|| wrong(format!("{} without a data type", part.kind.name())))
}

fn one_source(part: &Part) -> Result<Source> {
    let data_type = data_type(part)?;
    let whence = match part.kind {
        PartKind::Dkey => Whence::Dkey,
        PartKind::Akey if part.akey.is_empty() => return Err(wrong("an akey without name")),
        PartKind::Akey => Whence::Akey(part.akey.clone()),
        other => return Err(wrong(format!("{} where a value is to stand", other.name()))),
    };
    Ok(Source { whence, data_type, offset: part.offset, len: part.len })
}

/// A constant, which must be whole.
fn check_constant(part: &Part, constant: &[u8]) -> Result<Source> {
    let data_type = data_type(part)?;
    let source = Source { whence: Whence::Const(constant.to_vec()), data_type, offset: 0, len: 0 };
    let whole = match data_type {
        DataType::CString => constant.contains(&0),
        DataType::String => {
            let length = constant.first_chunk().map(|length| u64::from_ne_bytes(*length));
            length.is_some_and(|length| length <= constant.len() as u64 - 8)
        }
        _ => source.datum(constant).is_some(),
    };
    match whole {
        true => Ok(source),
        false => Err(wrong(format!("a constant of {} bytes is no {}", constant.len(), data_type.name()))),
    }
}
