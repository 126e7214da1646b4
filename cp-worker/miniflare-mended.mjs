// Miniflare, with a mend of the calls that stop the process until workerd has answered.
//
// Such a call sleeps in Atomics.wait until a thread of Miniflare's has stored 1 and then notifies.
// Where the thread loses its processor between the two, a caller that had not slept yet goes on; the
// notice comes late and wakes its next call, whose answer is still under way: "AssertionError: false
// == true". A sleep without a deadline ends here only when the value has changed.
export { Miniflare } from "miniflare";

const wait = Atomics.wait;

Atomics.wait = (array, index, value, timeout = Infinity) => {
  let outcome;
  do {
    outcome = wait(array, index, value, timeout);
  } while (timeout === Infinity && outcome === "ok" && Atomics.load(array, index) === value);
  return outcome;
};
