// Renders a bar chart as an SVG file without scripts or external fonts.

const COLOURS = { ours: '#1a7f37', peer: '#8c959f', base: '#0969da' };
const ROW = 26;
const [LABELS, BARS, VALUES] = [300, 380, 80];

/** @param bars `label`, `value` and `kind`: `ours`, `peer` or `base` (the baseline). */
export function chartOf({ title, unit, bars }) {
  const [width, height] = [LABELS + BARS + VALUES, (bars.length + 2) * ROW];
  const longest = Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ label, value, kind }, index) => {
    const middle = (index + 1.5) * ROW + ROW / 2;
    const length = Math.max(1, (value / longest) * BARS);
    const weight = kind === 'ours' ? ' font-weight="bold"' : '';
    return [
      `<text x="${LABELS - 10}" y="${middle + 4}" text-anchor="end"${weight}>${escaped(label)}</text>`,
      `<rect x="${LABELS}" y="${middle - 8}" width="${length.toFixed(1)}" height="16" fill="${COLOURS[kind]}"/>`,
      `<text x="${(LABELS + length + 8).toFixed(1)}" y="${middle + 4}"${weight}>${shown(value)}</text>`,
    ].join('\n  ');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328" role="img" aria-label="${escaped(title)}">
  <rect width="100%" height="100%" fill="#ffffff"/>
  <text x="12" y="${ROW}" font-weight="bold">${escaped(title)}</text>
  <text x="${width - 12}" y="${ROW}" text-anchor="end">${escaped(unit)}</text>
  ${lines.join('\n  ')}
</svg>
`;
}

function shown(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
