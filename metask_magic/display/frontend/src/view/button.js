/** Buttons that act when they are pressed down: text that grows may move things before the press ends. */

/**
 * @param {string} className
 * @param {string} label
 * @param {() => void} action
 */
export function createButton(className, label, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `metask-button ${className}`;
  button.textContent = label;
  let pressed = false;
  button.addEventListener("pointerdown", (event) => {
    // A finger that goes down may only want to scroll: it counts when it is lifted, as a click.
    if (event.button !== 0 || event.pointerType === "touch") return;
    pressed = true;
    action();
  });
  button.addEventListener("click", (event) => {
    // `detail` is 0 for the keyboard, which presses nothing down.
    const isSecond = pressed && event.detail !== 0;
    pressed = false;
    if (!isSecond) action();
  });
  return button;
}
