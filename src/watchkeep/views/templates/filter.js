(function () {
  var box = document.getElementById("find"), cards = document.querySelectorAll("[data-name]");
  if (!box || cards.length < 6) return;
  var search = box.querySelector("input[type=search]"), ticks = box.querySelectorAll("input[type=checkbox]");
  var told = box.querySelector("[role=status]");
  function apply() {
    var wanted = search.value.trim().toLowerCase(), shown = {}, left = 0;
    ticks.forEach(function (tick) { shown[tick.value] = tick.checked; });
    cards.forEach(function (card) {
      var keep = shown[card.dataset.outcome] !== false && card.dataset.name.toLowerCase().indexOf(wanted) >= 0;
      card.hidden = !keep;
      left += keep;
    });
    document.querySelectorAll("[data-group]").forEach(function (group) {
      group.hidden = !group.querySelector("[data-name]:not([hidden])");
    });
    told.textContent = left === cards.length ? "" : left + " of " + cards.length + " columns";
  }
  box.hidden = false;
  box.addEventListener("input", apply);
})();
