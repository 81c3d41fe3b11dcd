// Typesets the equations of a page once it is there.
document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(".equation")) {
    katex.render(element.textContent, element, { displayMode: true, throwOnError: false });
  }
});
