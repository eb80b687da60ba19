// Tells the contrast of an element's text against what is behind it, as WCAG 2 reckons it.
(element) => {
  // A mixed color comes as `color(srgb 0.9 0.1 0.1 / 0.09)`, any other as `rgb(230, 26, 26)` or `rgba(…, 0.09)`.
  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+(?:e-\d+)?/g).map(Number);
    const scale = color.startsWith("color(") ? 255 : 1;
    return [red * scale, green * scale, blue * scale, alpha];
  };
  const over = ([red, green, blue, alpha], below) =>
    [red, green, blue].map((part, at) => part * alpha + below[at] * (1 - alpha));
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (parts) => {
    const [red, green, blue] = parts.map((part) => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const layers = [];
  for (let node = element; node; node = node.parentElement) {
    layers.push(parse(getComputedStyle(node).backgroundColor));
    if (layers.at(-1)[3] === 1) break;
  }
  const behind = layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  const text = over(parse(getComputedStyle(element).color), behind);
  const [dark, light] = [text, behind].map(luminance).sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
