use super::figures::Drawing;
use super::tables::{Cell, Table};
use crate::study::findings::Findings;
use std::fmt::Write as _;

// Readable from 320 pixels on: text wraps, tables and plots scroll by themselves.
const STYLE: &str = "\
:root{color-scheme:light}\
*{box-sizing:border-box}\
body{margin:0 auto;max-width:1200px;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;\
overflow-wrap:break-word}\
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1.05rem}\
nav a{display:inline-block;margin:0 1rem .25rem 0}\
.verdict ul{margin:.25rem 0;padding-left:1.2rem}.verdict p{margin:.25rem 0}\
.verdict{border-left:4px solid #0072b2;padding:.25rem 0 .25rem .9rem;margin:1rem 0}\
.provisional{border-left:4px solid #d55e00;padding:.25rem 0 .25rem .9rem}\
.wide{overflow-x:auto;margin:1rem 0}\
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}\
caption{text-align:left;padding:.25rem 0;color:#555}\
th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}\
th:first-child,td:first-child,.text{text-align:left}td.long{white-space:normal;min-width:14rem}\
th{background:#f4f4f4;vertical-align:bottom}\
th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer;\
text-align:inherit;white-space:normal}\
th button::after{content:'\\2195';color:#999;padding-left:.3em}\
th[aria-sort=ascending] button::after{content:'\\2191';color:#222}\
th[aria-sort=descending] button::after{content:'\\2193';color:#222}\
figure{margin:1.25rem 0}figure svg{display:block;height:auto;min-width:36rem;max-width:100%}\
figcaption{font-size:.875rem;color:#555}\
pre{overflow-x:auto;background:#f4f4f4;padding:.75rem;font-size:.8rem}\
summary{cursor:pointer;font-weight:600}\
@media print{figure svg{min-width:0}details{display:none}}";

// Sorts a table by the column whose heading is clicked: by numbers where all fields have one, else by text.
const SCRIPT: &str = "\
document.querySelectorAll('table').forEach(table=>{\
const heads=[...table.tHead.rows[0].cells],body=table.tBodies[0];\
heads.forEach((head,column)=>{head.querySelector('button').addEventListener('click',()=>{\
const up=head.getAttribute('aria-sort')!=='ascending';\
heads.forEach(other=>other.removeAttribute('aria-sort'));\
head.setAttribute('aria-sort',up?'ascending':'descending');\
const key=row=>row.cells[column].dataset.v,rows=[...body.rows];\
const numeric=rows.every(row=>key(row)!==undefined);\
rows.sort((a,b)=>numeric?key(a)-key(b):\
a.cells[column].textContent.localeCompare(b.cells[column].textContent,undefined,{numeric:true}));\
if(!up)rows.reverse();body.append(...rows)})})});";

impl Findings {
    /// The page, with these plots of each section.
    pub(super) fn page(&self, drawings: &[Vec<Drawing>]) -> String {
        let title = escaped(&self.study.title);
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        push_text(&mut html, "p", "", &self.study.about);
        push_text(&mut html, "p", "provisional", &self.provisional());
        html += "<nav>\n";
        if !self.verdicts.is_empty() {
            html += "<a href=\"#verdicts\">Verdicts</a>\n";
        }
        for (at, section) in self.sections.iter().enumerate() {
            let name = escaped(&section.series.name);
            let _ = writeln!(html, "<a href=\"#section-{at}\">{name}</a>");
        }
        if self.scans.is_some() {
            html += "<a href=\"#scans\">Scans</a>\n";
        }
        html += "<a href=\"#settings\">Settings</a>\n</nav>\n";
        if !self.verdicts.is_empty() {
            html += "<h2 id=\"verdicts\">Verdicts</h2>\n";
            for (summary, sentences) in self.families() {
                html += "<div class=\"verdict\">\n";
                push_text(&mut html, "p", "", &summary);
                html += "<ul>\n";
                for sentence in sentences {
                    push_text(&mut html, "li", "", &sentence);
                }
                html += "</ul>\n</div>\n";
            }
            html += &self.verdict_table().html();
        }
        for (at, (section, drawings)) in self.sections.iter().zip(drawings).enumerate() {
            let name = escaped(&section.series.name);
            let _ = writeln!(html, "<section>\n<h2 id=\"section-{at}\">{name}</h2>");
            for drawing in drawings.iter().filter(|drawing| !drawing.aside) {
                push_figure(&mut html, drawing);
            }
            html += &section.trainings_table().html();
            if let Some(table) = section.surfaces_table() {
                html += &table.html();
            }
            if let Some(plane) = &section.plane {
                html += &section.places_table(plane).html();
                for sentence in plane.sentences() {
                    push_text(&mut html, "p", "", &sentence);
                }
            }
            for table in section.rates_tables() {
                html += &table.html();
            }
            if drawings.iter().any(|drawing| drawing.aside) {
                html += "<details>\n<summary>Training histories</summary>\n";
                for drawing in drawings.iter().filter(|drawing| drawing.aside) {
                    push_figure(&mut html, drawing);
                }
                html += "</details>\n";
            }
            html += "</section>\n";
        }
        if let Some(scans) = &self.scans {
            html += "<h2 id=\"scans\">Scans</h2>\n";
            html += &scans.table().html();
        }
        let settings = serde_json::to_string_pretty(&self.study).expect("plain values");
        let versions = &self.versions;
        let _ = write!(
            html,
            "<h2 id=\"settings\">Settings</h2>\n<p>Made by fireproof {}, with Burn {}, on {}.</p>\n<details>\n\
             <summary>All settings of the study</summary>\n<pre>{}</pre>\n</details>\n<script>{SCRIPT}</script>\n\
             </body>\n</html>\n",
            escaped(&versions.fireproof),
            escaped(&versions.burn),
            escaped(&versions.device),
            escaped(&settings),
        );
        html
    }
}

fn push_text(html: &mut String, tag: &str, class: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let class = if class.is_empty() {
        String::new()
    } else {
        format!(" class=\"{class}\"")
    };
    let _ = writeln!(html, "<{tag}{class}>{}</{tag}>", escaped(text));
}

fn push_figure(html: &mut String, drawing: &Drawing) {
    let caption = escaped(&drawing.caption);
    // Where an SVG stands in HTML its elements have their names without a declaration.
    let svg = drawing
        .svg
        .find("<svg")
        .map_or("", |start| &drawing.svg[start..]);
    let svg = svg.replacen(
        "<svg",
        &format!("<svg role=\"img\" aria-label=\"{caption}\""),
        1,
    );
    let _ = writeln!(
        html,
        "<figure><div class=\"wide\">{}</div><figcaption>{caption}</figcaption></figure>",
        svg.trim_end()
    );
}

impl Table {
    /// The table, its headings buttons to sort by.
    fn html(&self) -> String {
        let mut html = format!(
            "<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>",
            escaped(&self.caption)
        );
        for (at, column) in self.columns.iter().enumerate() {
            let column = escaped(column);
            let is_text = self
                .rows
                .first()
                .is_some_and(|row| row[at].number.is_none());
            let class = if is_text { " class=\"text\"" } else { "" };
            let _ = write!(
                html,
                "<th scope=\"col\"{class}><button type=\"button\">{column}</button></th>"
            );
        }
        html += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            html += "<tr>";
            for Cell { text, number } in row {
                let number = number.map(|number| format!(" data-v=\"{number}\""));
                let class = match (&number, text.chars().count()) {
                    (Some(_), _) => "",
                    (None, ..40) => " class=\"text\"",
                    (None, _) => " class=\"text long\"",
                };
                let number = number.unwrap_or_default();
                let _ = write!(html, "<td{class}{number}>{}</td>", escaped(text));
            }
            html += "</tr>\n";
        }
        html += "</tbody>\n</table></div>\n";
        html
    }
}

/// Text that stays text within HTML.
pub(super) fn escaped(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}
