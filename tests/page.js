// Examines the page whose first script it is, and writes what it finds into the title of the frame around it.
(() => {
  const wrong = new Map();
  const fault = (what, where = '') => {
    wrong.set(what, [...(wrong.get(what) ?? []), where]);
    const of = ([first, ...others]) =>
      (first && ' (' + first + (others.length ? ' and ' + others.length + ' more' : '') + ')');
    const all = [...wrong].map(([what, where]) => what + of(where)).join('; ');
    parent.document.title = 'FAIL ' + all.replace(/\s+/g, ' ');
  };
  addEventListener('error', event => fault('script: ' + (event.message ?? 'no ' + event.target.outerHTML)), true);
  addEventListener('unhandledrejection', event => fault('rejection: ' + event.reason));

  const within = (box, frame, slack) =>
    box.left >= frame.left - slack && box.right <= frame.right + slack &&
    box.top >= frame.top - slack && box.bottom <= frame.bottom + slack;
  const isShown = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  const examinePlot = plot => {
    const name = plot.getAttribute('aria-label');
    // A point is only found within the window.
    plot.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const frame = plot.getBoundingClientRect();
    if (frame.width < 200 || frame.height < 80) return fault('small plot of ' + frame.width + 'x' + frame.height, name);
    let opacity = 1;
    for (let one = plot; one; one = one.parentElement) opacity *= getComputedStyle(one).opacity;
    if (!isShown(plot) || opacity < 1) return fault('hidden plot', name);
    const [x, y] = [(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2];
    if (!plot.contains(document.elementFromPoint(x, y))) fault('plot out of reach', name);

    const lines = [...plot.querySelectorAll('polyline')];
    // Axes go down, then right.
    const isAxes = ({ points: [a, b, c, ...more] }) =>
      c && !more.length && a.x === b.x && a.y < b.y && b.x < c.x && b.y === c.y;
    const axes = lines.filter(isAxes).map(line => line.getBoundingClientRect());
    // A line of two points is a tick, a grid's or an interval's unless it slopes.
    const slopes = ({ points: [a, b, ...more] }) => b && !more.length && a.x !== b.x && a.y !== b.y;
    const curves = lines.filter(line => (line.points.length > 2 && !isAxes(line)) || slopes(line));
    // Markers with corners, without what lifts them off the ground and areas.
    const isMarker = area => area.getAttribute('fill') !== '#FFFFFF' && area.getBoundingClientRect().width < frame.width / 20;
    const markers = [...plot.querySelectorAll('polygon')].filter(isMarker);
    const marks = [...curves, ...markers, ...plot.querySelectorAll('circle')].map(mark => mark.getBoundingClientRect());
    if (!axes.length) fault('plot without axes', name);
    if (axes.some(panel => !marks.some(mark => within(mark, panel, 4)))) fault('empty panel', name);
    if (!curves.every(curve => axes.some(panel => within(curve.getBoundingClientRect(), panel, 4))))
      fault('curve outside its axes', name);
    const parts = [...plot.querySelectorAll('rect,line,path,polyline,polygon,circle,text')];
    for (const part of parts.filter(part => part.localName !== 'text' || part.textContent.trim())) {
      const { fill, stroke } = getComputedStyle(part);
      const isBare = [fill, stroke].every(paint => /^none$|^rgba.*, 0\)$/.test(paint));
      if (!isShown(part) || isBare) fault('hidden ' + part.localName, name);
      if (!within(part.getBoundingClientRect(), frame, 1)) fault(part.localName + ' outside its plot', name);
    }
  };

  const examineText = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text; (text = walker.nextNode());) {
      const range = document.createRange();
      range.selectNodeContents(text);
      // Of what scrolls by itself the box is to lie within the window.
      const box = (text.parentElement.closest('.wide,pre') ?? range).getBoundingClientRect();
      if (text.data.trim() && (box.left < -1 || box.right > innerWidth + 1))
        fault('text beyond the edge', text.data.trim().slice(0, 40));
    }
  };

  const examineTable = table => {
    const heads = [...table.tHead.rows[0].cells];
    const rows = () => [...table.tBodies[0].rows];
    heads.forEach((head, column) => {
      const name = table.caption.textContent + ', ' + head.textContent;
      const button = head.querySelector('button');
      if (!button) return fault('heading without a button', name);
      const cell = row => row.cells[column];
      const isNumeric = rows().every(row => 'v' in cell(row).dataset);
      const order = (one, other) => isNumeric
        ? cell(one).dataset.v - cell(other).dataset.v
        : cell(one).textContent.localeCompare(cell(other).textContent, undefined, { numeric: true });
      const before = new Set(rows());
      button.click();
      const up = rows();
      if (up.length !== before.size || !up.every(row => before.has(row))) fault('table that loses rows', name);
      if (up.some((row, at) => at && order(up[at - 1], row) > 0)) fault('table that does not sort', name);
      button.click();
      const down = rows().reverse();
      if (up.some((row, at) => row !== down[at])) fault('table that does not reverse', name);
    });
  };

  const examine = () => {
    document.querySelectorAll('details').forEach(details => { details.open = true; });
    const plots = [...document.querySelectorAll('figure svg')];
    const tables = [...document.querySelectorAll('table')];
    if (!plots.length) fault('no plot');
    if (!tables.length) fault('no table');
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 1) fault('page ' + wide + ' pixels too wide');
    plots.forEach(examinePlot);
    examineText();
    tables.forEach(examineTable);
    return plots.length + ' plots, ' + tables.length + ' tables, ' + innerWidth + ' pixels';
  };
  // What fails late fails as well.
  addEventListener('load', () => setTimeout(() => {
    const found = examine();
    setTimeout(() => { if (!wrong.size) parent.document.title = 'PASS ' + found; }, 2000);
  }, 2000));
})();
