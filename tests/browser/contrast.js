// Tells the contrast of an element's text against what is behind it, as WCAG 2 reckons it.
(element) => {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [red, green, blue] = parse(color).map((part) => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (node) => getComputedStyle(node).backgroundColor;
  const isClear = (node) => (parse(background(node))[3] ?? 1) === 0;

  let behind = element;
  while (behind && isClear(behind)) behind = behind.parentElement;
  const colors = [getComputedStyle(element).color, behind ? background(behind) : "rgb(255, 255, 255)"];
  const [dark, light] = colors.map(luminance).sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
