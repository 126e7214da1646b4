// Leads somebody who has just signed in to the page that they had wanted.

import { useEffect, useState } from "react";
import { Navigate } from "react-router";
import { keepReturnPath, returnPath } from "@/lib/return-path";

export function ReturnToPage({ otherwise = "/" }: { otherwise?: string }) {
  const [path] = useState(() => {
    const kept = returnPath(Date.now());
    return kept === "/" ? otherwise : kept;
  });
  useEffect(() => keepReturnPath("/", Date.now()), []);
  return <Navigate to={path} replace />;
}
