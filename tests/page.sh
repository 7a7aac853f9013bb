#!/bin/sh
# Opens a study's page in headless Chromium, 320 and 1400 pixels wide: no script error, every plot visible and
# inside its frame, no text beyond the window's edge, tables that sort. Not part of the CI, which has no browser.
#
#   cargo run --release --example study -- run examples/study/quick.json
#   sh tests/page.sh target/fireproof/study/quick/index.html
#
# Needs `chromium` on the path, or its name in CHROMIUM. Screenshots are written beside the page.
set -eu
page=$(realpath "${1:?the page to open}")
browser=${CHROMIUM:-chromium}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The page with an examiner behind it, who writes what he finds into the title.
{
    cat "$page"
    cat <<'SCRIPT'
<script>
addEventListener('error', event => { document.title = 'FAIL script: ' + event.message; });
addEventListener('load', () => {
  const wrong = [];
  document.querySelectorAll('details').forEach(details => { details.open = true; });
  const plots = [...document.querySelectorAll('figure svg')];
  if (!plots.length) wrong.push('no plot');
  for (const plot of plots) {
    const box = plot.getBoundingClientRect();
    if (box.width < 200 || box.height < 80) wrong.push('a plot of ' + box.width + 'x' + box.height);
    if (!plot.querySelectorAll('polyline,path,circle,polygon,line').length) wrong.push('an empty plot');
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 1) wrong.push('the page is ' + wide + ' pixels too wide');
  const tables = [...document.querySelectorAll('table')];
  for (const table of tables) {
    const column = table.tHead.rows[0].cells.length - 1;
    const button = table.tHead.rows[0].cells[column].querySelector('button');
    const keys = () => [...table.tBodies[0].rows].map(row => +row.cells[column].dataset.v);
    button.click();
    let sorted = keys();
    if (sorted.every(key => !isNaN(key)) && sorted.some((key, at) => at && key < sorted[at - 1]))
      wrong.push('a table that does not sort: ' + table.caption.textContent);
    button.click();
  }
  const found = plots.length + ' plots, ' + tables.length + ' tables, ' + innerWidth + ' pixels';
  if (!document.title.startsWith('FAIL'))
    document.title = wrong.length ? 'FAIL ' + [...new Set(wrong)].join('; ') : 'PASS ' + found;
});
</script>
SCRIPT
} > "$work/page.html"

failed=0
for width in 320 1400; do
    options="--headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir=$work/$width"
    # A window is no narrower than 500 pixels: what is narrower is a frame within it.
    printf '<!DOCTYPE html><title>-</title><body style="margin:0"><iframe style="border:0;width:%spx;height:4000px" src="page.html"></iframe><script>setInterval(()=>{try{document.title=frames[0].document.title}catch(e){document.title="FAIL "+e}},100)</script>' \
        "$width" > "$work/frame.html"
    title=$("$browser" $options --allow-file-access-from-files --virtual-time-budget=8000 --window-size="$((width > 500 ? width : 500)),4000" --dump-dom \
        "file://$work/frame.html" 2>"$work/log" | sed -n 's:.*<title>\(.*\)</title>.*:\1:p' | head -1)
    echo "$width: $title"
    case $title in PASS*) ;; *) failed=1 ;; esac
    grep -i 'CONSOLE.*error\|Uncaught' "$work/log" && failed=1
    "$browser" $options --allow-file-access-from-files --virtual-time-budget=8000 --window-size="$((width > 500 ? width : 500)),4000" \
        --screenshot="$(dirname "$page")/page-$width.png" "file://$work/frame.html" 2>/dev/null
done
exit $failed
