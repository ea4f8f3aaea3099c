//! Arrays against a plain vector: random writes, reads, punches and sizes over many chunks.

use super::fake::World;
use crate::array::{Array, Range, TYPE_ARRAY_BYTE};
use crate::memory::UserMemory;
use crate::object::{OPEN_RW, Object};
use daos_fabric::{MemoryConfig, MemoryNetwork};

const CHUNK: u64 = 64;
const SPACE: u64 = 1000;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit
    }
}

/// What the array holds: a byte, or a hole.
type Model = Vec<Option<u8>>;

fn size(model: &Model) -> u64 {
    model.iter().rposition(Option::is_some).map_or(0, |last| last as u64 + 1)
}

/// A few ranges that do not overlap, in any order.
fn ranges(random: &mut Random) -> Vec<Range> {
    let mut cuts: Vec<u64> = (0..2 + random.below(6)).map(|_| random.below(SPACE)).collect();
    cuts.sort_unstable();
    let mut ranges: Vec<Range> =
        cuts.chunks_exact(2).map(|pair| Range { index: pair[0], cells: pair[1] - pair[0] }).collect();
    if random.below(3) == 0 {
        ranges.reverse();
    }
    ranges
}

/// Memory of that many bytes in a few parts.
#[allow(unsafe_code)]
fn parts(random: &mut Random, buffer: &mut [u8]) -> UserMemory {
    let middle = random.below(buffer.len() as u64 + 1) as usize;
    let (left, right) = buffer.split_at_mut(middle);
    // SAFETY: the caller keeps the buffer for as long as the memory is used.
    unsafe { UserMemory::new([(left.as_mut_ptr(), left.len()), (right.as_mut_ptr(), right.len())]) }
}

/// Aim: whatever is written, punched, truncated and extended, reads give the model's bytes, zeros in its holes, leave
/// alone what is behind the end, and count both; and the size is the model's.
#[test]
fn random_operations_agree_with_a_vector() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
    println!("SEED={seed}");
    let mut random = Random(seed);
    let world = World::new(MemoryNetwork::new(MemoryConfig { seed, ..MemoryConfig::default() }));
    let object = Object::open(&world.container, world.oid(TYPE_ARRAY_BYTE), OPEN_RW).unwrap();
    let array = Array::with_attributes(object, 1, CHUNK).unwrap();
    let mut model: Model = vec![None; SPACE as usize];
    world.run(async {
        for step in 0..400 {
            let ranges = ranges(&mut random);
            let cells: u64 = ranges.iter().map(|range| range.cells).sum();
            let places = || ranges.iter().flat_map(|range| range.index..range.index + range.cells);
            let mut buffer: Vec<u8> = (0..cells).map(|_| random.below(256) as u8).collect();
            match random.below(10) {
                0..=3 => {
                    let memory = parts(&mut random, &mut buffer);
                    array.write(&world.client, 0, &ranges, &memory).await.unwrap();
                    places().zip(&buffer).for_each(|(place, byte)| model[place as usize] = Some(*byte));
                }
                4 => {
                    array.punch(&world.client, 0, &ranges).await.unwrap();
                    places().for_each(|place| model[place as usize] = None);
                }
                5 => {
                    let wanted = random.below(SPACE);
                    array.set_size(&world.client, 0, wanted).await.unwrap();
                    model[wanted as usize..].fill(None);
                    if wanted > 0 {
                        model[wanted as usize - 1].get_or_insert(0);
                    }
                }
                _ => {
                    let before = buffer.clone();
                    let memory = parts(&mut random, &mut buffer);
                    let count = array.read(&world.client, 0, &ranges, &memory).await.unwrap();
                    let end = size(&model);
                    for ((place, byte), was) in places().zip(&buffer).zip(&before) {
                        let expected = if place < end { model[place as usize].unwrap_or(0) } else { *was };
                        assert_eq!(*byte, expected, "step {step}, index {place}, size {end}, {ranges:?}");
                    }
                    let short = places().filter(|place| *place >= end).count() as u64;
                    assert_eq!((count.read, count.short), (cells - short, short), "step {step}");
                }
            }
            assert_eq!(array.size(&world.client, 0).await.unwrap(), size(&model), "step {step}");
        }
    });
}
