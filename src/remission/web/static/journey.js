// What is chosen here stays in this page: no storage, no request. Without this file every text is shown.
const goals = document.querySelector(".goals");

function show() {
  const chosen = goals.querySelector("input:checked");
  for (const text of goals.querySelectorAll(".goal-text")) text.hidden = !chosen || text.dataset.goal !== chosen.value;
}

goals.addEventListener("change", show);
show();

const print = document.getElementById("print");
print.hidden = false;
print.addEventListener("click", () => window.print());
