//! Writes the tables of the benchmark.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use anyhow::{Context as _, ensure};

use super::{
    Series, machine,
    measure::Sample,
    program::{Pace, Programs},
};

/// Returns all tables, in Markdown.
pub(crate) fn render(
    series: &[Series],
    programs: &Programs,
    rounds: usize,
    jobs: usize,
) -> anyhow::Result<String> {
    let [ours, theirs] = programs.versions()?;
    let [our_size, their_size] = programs.file_sizes()?;
    let mut text = format!(
        "Measured with {ours} and {theirs} on {}; {rounds} rounds (four times as many for `version` and `lsf` of an \
         empty folder), {jobs} tasks at a time.\n",
        machine::described(),
    );
    if jobs == 1 {
        let ratio = ratio(their_size, our_size);
        writeln!(text, "\nThe programs' files: {our_size} and {their_size} bytes, {ratio:.1}× as large.")?;
    }
    calls(&mut text, series)?;
    for (pace, title) in
        [("same", "At 400 ms between calls"), ("limits", "Under limits"), ("off", "Without pacing")]
    {
        let of_pace = |pace_of: &Pace| match pace_of {
            Pace::Same => pace == "same",
            Pace::Off => pace == "off",
            Pace::Limits { .. } => pace == "limits",
        };
        let chosen: Vec<_> = series.iter().filter(|series| of_pace(&series.pace)).collect();
        costs(&mut text, title, &chosen)?;
    }
    Ok(text)
}

/// Makes the table of calls by endpoint, which no load on the machine changes.
fn calls(text: &mut String, series: &[Series]) -> anyhow::Result<()> {
    writeln!(text, "\n| task | program | API calls | to nodes | by endpoint |\n|---|---|---:|---:|---|")?;
    let mut seen = Vec::new();
    for Series { task, ours, theirs, pace } in series {
        if task.name == "version" || matches!(pace, Pace::Limits { .. }) || seen.contains(&task.name) {
            continue;
        }
        seen.push(task.name);
        for (program, samples) in [("fichier", ours), ("rclone", theirs)] {
            let Some(sample) = samples.first() else { continue };
            let spread: Vec<_> = samples.iter().map(Sample::api_calls).collect();
            let (least, most) = (spread.iter().min(), spread.iter().max());
            let count = match (least, most) {
                (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
                _ => sample.api_calls().to_string(),
            };
            let endpoints: Vec<_> =
                sample.calls.iter().map(|(endpoint, count)| format!("{endpoint} {count}")).collect();
            let endpoints = endpoints.join(", ");
            let nodes = sample.node_requests();
            writeln!(text, "| {} | {program} | {count} | {nodes} | {endpoints} |", task.title)?;
        }
    }
    Ok(())
}

/// Makes the table of costs at one pace.
fn costs(text: &mut String, title: &str, series: &[&Series]) -> anyhow::Result<()> {
    if series.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n**{title}** (median, with the least and the most in brackets)\n\n\
         | task | program | wall s | CPU s | peak MiB | floods | rclone's wall by fichier's |\n\
         |---|---|---:|---:|---:|---:|---:|"
    )?;
    for Series { task, pace, ours, theirs } in series {
        let limits = match pace {
            Pace::Limits { limits, .. } => format!(", limits {limits}"),
            _ => String::new(),
        };
        for (program, samples) in [("fichier", ours), ("rclone", theirs)] {
            if samples.is_empty() {
                continue;
            }
            let wall = spread(samples.iter().map(|sample| seconds(sample.wall)));
            let stopped = samples.iter().find(|sample| !sample.finished);
            let wall = match stopped {
                Some(sample) => format!(
                    "stopped after {:.0}, {} of {} files stored",
                    seconds(sample.wall),
                    sample.stored,
                    task.files_after
                ),
                None => wall,
            };
            let processor = spread(samples.iter().map(|sample| seconds(sample.processor)));
            let memory = spread(samples.iter().map(|sample| mebibytes(sample.memory)));
            let floods = spread_whole(samples.iter().map(|sample| sample.floods));
            let ratios: Vec<_> = theirs
                .iter()
                .zip(ours)
                .map(|(theirs, ours)| seconds(theirs.wall) / seconds(ours.wall).max(1e-9))
                .collect();
            let at_least = if stopped.is_some() { "over " } else { "" };
            let ratio = match program {
                "rclone" => format!("{at_least}{}×", spread(ratios.into_iter())),
                _ => String::new(),
            };
            writeln!(
                text,
                "| {}{limits} | {program} | {wall} | {processor} | {memory} | {floods} | {ratio} |",
                task.title
            )?;
        }
    }
    Ok(())
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "sizes of memory are far below 2^53")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^53")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other.max(1) as f64
}

/// Returns the median, and the least and the most where there are several.
fn spread(numbers: impl Iterator<Item = f64>) -> String {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let digits = |number: f64| match number {
        number if number < 0.1 => format!("{number:.4}"),
        number if number < 10.0 => format!("{number:.2}"),
        number => format!("{number:.1}"),
    };
    match numbers[..] {
        [] => String::new(),
        [only] => digits(only),
        [least, .., most] => {
            format!("{} ({} to {})", digits(numbers[numbers.len() / 2]), digits(least), digits(most))
        }
    }
}

fn spread_whole(numbers: impl Iterator<Item = u64>) -> String {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    match (numbers.first(), numbers.last()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
        (Some(only), _) => only.to_string(),
        _ => String::new(),
    }
}

/// Puts the text between the lines `<!-- NAME -->` and `<!-- end of NAME -->` of a file.
pub(crate) fn write_section(file: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let before = fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    fs::write(file, replaced(&before, name, text)?).with_context(|| format!("can't write {}", file.display()))
}

fn replaced(before: &str, name: &str, text: &str) -> anyhow::Result<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let places = before.find(&begin).map(|place| place + begin.len()).zip(before.find(&end));
    ensure!(places.is_some_and(|(begin, end)| begin <= end), "there is no section {name}");
    let (begin, end) = places.unwrap_or_default();
    Ok(format!("{}\n{}\n{}", &before[..begin], text.trim(), &before[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_section_is_replaced() {
        let before = "a\n<!-- one -->\nold\n<!-- end of one -->\nb\n<!-- two -->\n<!-- end of two -->\n";
        let after = replaced(before, "one", "new\n").unwrap();
        assert_eq!(
            after,
            "a\n<!-- one -->\n\nnew\n<!-- end of one -->\nb\n<!-- two -->\n<!-- end of two -->\n"
        );
        assert!(replaced(before, "three", "new").is_err());
    }

    #[test]
    fn a_spread_tells_the_median_and_the_ends() {
        assert_eq!(spread([3.0, 1.0, 20.0].into_iter()), "3.00 (1.00 to 20.0)");
        assert_eq!(spread([0.0123].into_iter()), "0.0123");
        assert_eq!(spread_whole([2, 2].into_iter()), "2");
        assert_eq!(spread_whole([0, 2].into_iter()), "0 to 2");
    }
}
