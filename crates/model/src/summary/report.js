"use strict";
// Shows the tasks that match the words and the state that were asked for, and opens what a link leads to.
const words = document.getElementById("filter-words");
const state = document.getElementById("filter-state");
const told = document.getElementById("filter-told");
const tasks = [...document.querySelectorAll("details[data-state]")];
const rows = [...document.querySelectorAll("tr[data-task]")];
function filter() {
  const asked = words.value.trim().toLowerCase();
  let left = 0;
  for (const task of tasks) {
    const fits = (state.value === "" || (state.value === "open") !== (task.dataset.state === "passed")) &&
      (asked === "" || task.textContent.toLowerCase().includes(asked));
    task.hidden = !fits;
    left += fits ? 1 : 0;
    for (const row of rows) if (row.dataset.task === task.id) row.hidden = !fits;
  }
  told.textContent = `${left} of ${tasks.length} tasks`;
}
function open() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) { target.hidden = false; target.open = true; target.scrollIntoView(); }
}
if (words && state && told) {
  document.getElementById("filter").hidden = false;
  words.addEventListener("input", filter);
  state.addEventListener("change", filter);
  filter();
}
window.addEventListener("hashchange", open);
open();
