use super::*;
use crate::dialect::Dialect;

/// What `narrow` leaves of all rows of blocks of these sizes, counted through.
fn left(sizes: &[u32], mut narrow: impl FnMut(&mut Vec<u32>)) -> Vec<u32> {
    let (mut all, mut before) = (Vec::new(), 0);
    for size in sizes {
        let mut kept: Vec<u32> = (0..*size).collect();
        narrow(&mut kept);
        all.extend(kept.iter().map(|row| row + before));
        before += size;
    }
    all
}

#[test]
fn head_is_the_first_rows_and_then_full() {
    let check = |count, sizes: &[u32], want: &[u32], is_full| {
        let mut head = Head::new(count);
        assert_eq!(left(sizes, |kept| head.narrow(kept)), want, "{count} {sizes:?}");
        assert_eq!(head.is_full(), is_full, "{count} {sizes:?}");
    };
    check(3, &[2, 2, 2], &[0, 1, 2], true);
    check(2, &[2], &[0, 1], true);
    check(5, &[2, 0, 1], &[0, 1, 2], false);
    check(0, &[2], &[], true);
    check(u64::MAX, &[2], &[0, 1], false);
}

#[test]
fn tail_is_the_last_rows() {
    let check = |count, sizes: &[u32], want: &[&str]| {
        let mut tail = Tail::new(count);
        for row in left(sizes, |kept| tail.narrow(kept)) {
            tail.push(row.to_string().as_bytes());
        }
        let rows: Vec<String> = tail.into_rows().map(|row| String::from_utf8(row).unwrap()).collect();
        assert_eq!(rows, want, "{count} {sizes:?}");
    };
    check(3, &[2, 2, 2], &["3", "4", "5"]);
    check(3, &[9, 1], &["7", "8", "9"]);
    check(3, &[2], &["0", "1"]);
    check(0, &[2], &[]);
    check(1, &[100, 0], &["99"]);
}

/// The sample of 0, 1, 2 … in blocks of these sizes.
fn sample(size: usize, seed: Option<u64>, sizes: &[u32]) -> Vec<u32> {
    let mut sample = Sample::new(size, seed);
    let mut before = 0;
    for count in sizes {
        let mut kept: Vec<u32> = (0..*count).collect();
        sample.narrow(&mut kept);
        for row in kept {
            sample.push((row + before).to_string().as_bytes());
        }
        before += count;
    }
    sample.into_rows().map(|row| String::from_utf8(row).unwrap().parse().unwrap()).collect()
}

#[test]
fn the_same_seed_gives_the_same_sample_in_any_blocks() {
    let want = sample(5, Some(42), &[1_000]);
    assert_eq!((want.len(), want.is_sorted()), (5, true));
    assert_eq!(sample(5, Some(42), &[1, 0, 499, 500]), want);
    assert_eq!(want, [220, 222, 320, 647, 925]);
    assert_ne!(sample(5, Some(43), &[1_000]), want);
    assert_ne!(sample(50, None, &[1_000]), sample(50, None, &[1_000]));
    assert_eq!(sample(5, None, &[3]), [0, 1, 2]);
    assert_eq!(sample(0, None, &[3]), [0; 0]);
}

#[test]
fn every_row_is_sampled_as_often() {
    let mut counts = [0_u32; 20];
    for seed in 0..20_000 {
        for row in sample(5, Some(seed), &[7, 13]) {
            counts[row as usize] += 1;
        }
    }
    assert!(counts.iter().all(|count| (4_700..5_300).contains(count)), "{counts:?}");
}

#[test]
fn the_first_of_equal_rows_is_distinct() {
    let check = |columns: &[usize], text: &str, want: &[u32]| {
        let block = Block::of(text.as_bytes(), Dialect::delimited(b','));
        let mut kept = (0..u32::try_from(block.rows()).unwrap()).collect();
        let mut distinct = Distinct::new(columns);
        distinct.narrow(&block, &mut kept);
        assert_eq!(kept, want, "{columns:?} {text:?}");
        distinct.narrow(&block, &mut kept);
        assert_eq!(kept, [0; 0], "{columns:?} {text:?}");
    };
    check(&[0], "a,1\nb,1\na,2\n", &[0, 1]);
    check(&[1], "a,1\nb,1\na,2\n", &[0, 2]);
    check(&[1, 0, 1], "a,1\nb,1\na,1\na,2", &[0, 1, 3]);
    check(&[0], "a\n\"a\"\r\n a\n\"a\"\"\"\n", &[0, 2, 3]);
    check(&[0, 1], "ab,c\na,bc\n\"ab\",c\n", &[0, 1]);
    check(&[2], "a,b,\na\n,,x\n", &[0, 2]);
}
