// The three dots that open what else can be done with something.

import { EllipsisVertical } from "lucide-react";
import { Button } from "@/components/ui/button";
import { MenuTrigger } from "@/components/ui/menu";
import { cn } from "@/lib/cn";

interface MoreTriggerProps {
  /** What it is about, for who does not see where it stands. */
  name: string;
  className?: string;
  "data-testid": string;
}

export function MoreTrigger({ name, className, ...rest }: MoreTriggerProps) {
  return (
    <MenuTrigger asChild>
      <Button
        variant="ghost"
        size="icon"
        className={cn("relative -mr-2", className)}
        aria-label={`More about ${name}`}
        {...rest}
      >
        <EllipsisVertical />
      </Button>
    </MenuTrigger>
  );
}
