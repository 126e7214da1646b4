// Which idle servers a person wants to keep running, remembered in this browser.

const STORAGE_KEY = "chatcode.kept-running";

function stored(): Record<string, number> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, number>) : {};
  } catch {
    return {};
  }
}

/** Whether it was decided for this idle time, which began at `since`. */
export function keptRunning(gatewayId: string, since: number): boolean {
  return stored()[gatewayId] === since;
}

export function keepRunning(gatewayId: string, since: number): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...stored(), [gatewayId]: since }));
}
