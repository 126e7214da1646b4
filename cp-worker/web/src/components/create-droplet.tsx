// Orders a droplet: where, how large, and what it will cost.

import { Cloud } from "lucide-react";
import { RadioGroup } from "radix-ui";
import { useCallback, useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { DialogForm, NameField, Problem } from "@/components/dialog-form";
import { Button } from "@/components/ui/button";
import { DialogClose, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import {
  api,
  problemText,
  type CloudConnection,
  type CloudOptions,
  type CloudSize,
} from "@/lib/api";
import { modestSize, nearestRegion, sizesIn } from "@/lib/droplet";
import { formatDollars, plural } from "@/lib/format";

interface Offer {
  connection: CloudConnection | null;
  /** Null without a connection that works. */
  options: CloudOptions | null;
}

async function fetchOffer(): Promise<Offer> {
  const connection = await api.cloudConnection();
  const options = connection?.state === "connected" ? await api.cloudOptions() : null;
  return { connection, options };
}

export function CreateDroplet({ onOrdered }: { onOrdered(): void }) {
  const [offer, setOffer] = useState<Offer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = useCallback(() => {
    setProblem(null);
    fetchOffer().then(setOffer, (error: unknown) => setProblem(problemText(error)));
  }, []);
  useEffect(load, [load]);
  if (problem !== null) {
    return (
      <div className="grid gap-3">
        <Problem text={problem} />
        <DialogFooter>
          <Button variant="outline" onClick={load}>
            Try again
          </Button>
        </DialogFooter>
      </div>
    );
  }
  if (offer === null) {
    return (
      <div role="status" aria-label="Loading regions and sizes" className="grid gap-4">
        <Skeleton className="h-10" />
        <Skeleton className="h-10" />
        <Skeleton className="h-40" />
      </div>
    );
  }
  if (offer.options === null) return <Connect expired={offer.connection !== null} />;
  return <OrderForm options={offer.options} onOrdered={onOrdered} />;
}

function Connect({ expired }: { expired: boolean }) {
  return (
    <div className="grid gap-5">
      <p className="text-sm leading-relaxed text-muted-foreground">
        {expired
          ? "DigitalOcean no longer accepts the connection of this account. Connect it again to go on."
          : "Connect your DigitalOcean account first. Droplets are made in it, and DigitalOcean bills you for them, nobody else."}
      </p>
      <DialogFooter>
        <DialogClose asChild>
          <Button variant="outline">Cancel</Button>
        </DialogClose>
        <Button asChild data-testid="cloud-connect">
          <a href="/api/cloud/connect">
            <Cloud />
            Connect DigitalOcean
          </a>
        </Button>
      </DialogFooter>
    </div>
  );
}

function OrderForm({ options, onOrdered }: { options: CloudOptions; onOrdered(): void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [region, setRegion] = useState(() => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    return nearestRegion(options, timeZone);
  });
  const [wanted, setWanted] = useState<string | null>(null);
  const sizes = sizesIn(options, region);
  const size = sizes.find(({ slug }) => slug === wanted) ?? modestSize(sizes);
  const order = async () => {
    if (region === undefined || size === undefined) return;
    const server = await api.createDroplet({
      name: name.trim(),
      region: region.slug,
      size: size.slug,
    });
    onOrdered();
    await navigate(`/servers/${server.gateway_id}`);
  };
  return (
    <DialogForm
      action="Create droplet"
      busyAction="Creating…"
      ready={name.trim() !== "" && size !== undefined}
      testId="droplet-create"
      onSubmit={order}
    >
      <NameField testId="server-name" placeholder="agents-1" value={name} onChange={setName} />
      <Field label="Region">
        {(ids) => (
          <Select
            {...ids}
            data-testid="droplet-region"
            value={region?.slug}
            onChange={({ target }) =>
              setRegion(options.regions.find(({ slug }) => slug === target.value))
            }
          >
            {options.regions.map(({ slug, name }) => (
              <option key={slug} value={slug}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <SizeChoice sizes={sizes} size={size} onChange={setWanted} />
      {size !== undefined && <Cost size={size} />}
    </DialogForm>
  );
}

function Cost({ size }: { size: CloudSize }) {
  return (
    <p
      data-testid="droplet-cost"
      className="rounded-md bg-muted px-3.5 py-2.5 text-sm leading-relaxed"
    >
      DigitalOcean bills you{" "}
      <b className="font-semibold">{formatDollars(size.price_monthly)} a month</b> (
      {formatDollars(size.price_hourly)} an hour) for it, until you destroy it.
    </p>
  );
}

interface SizeChoiceProps {
  sizes: CloudSize[];
  size: CloudSize | undefined;
  onChange(slug: string): void;
}

function SizeChoice({ sizes, size, onChange }: SizeChoiceProps) {
  if (sizes.length === 0) {
    return <p className="text-sm text-muted-foreground">Nothing can be had in this region now.</p>;
  }
  return (
    <fieldset className="min-w-0">
      <legend className="mb-2 text-sm font-medium">Size</legend>
      <RadioGroup.Root
        aria-label="Size"
        data-testid="droplet-size"
        value={size?.slug ?? ""}
        onValueChange={onChange}
        className="grid max-h-56 gap-px overflow-y-auto rounded-lg border border-input/80 bg-border"
      >
        {sizes.map((one) => (
          <RadioGroup.Item
            key={one.slug}
            value={one.slug}
            data-testid={`size-${one.slug}`}
            className="flex items-center justify-between gap-4 bg-surface px-3.5 py-2.5 text-left text-sm outline-none hover:bg-muted focus-visible:ring-2 focus-visible:ring-ring focus-visible:ring-inset data-[state=checked]:bg-[color-mix(in_oklab,var(--live)_10%,var(--surface))]"
          >
            <span className="flex min-w-0 items-center gap-3">
              <span
                aria-hidden
                className="grid size-4 shrink-0 place-items-center rounded-full border border-input"
              >
                <RadioGroup.Indicator className="size-2 rounded-full bg-live" />
              </span>
              <span className="min-w-0">
                <span className="block font-medium">{sizeText(one)}</span>
                <span className="block text-xs text-muted-foreground">{one.disk_gb} GB disk</span>
              </span>
            </span>
            <span className="shrink-0 text-right tabular-nums">
              {formatDollars(one.price_monthly)}
              <span className="text-xs text-muted-foreground"> a month</span>
              <span className="block text-xs text-muted-foreground">
                {formatDollars(one.price_hourly)} an hour
              </span>
            </span>
          </RadioGroup.Item>
        ))}
      </RadioGroup.Root>
    </fieldset>
  );
}

function sizeText({ memory_mb, vcpus }: CloudSize): string {
  const memory = memory_mb < 1024 ? `${memory_mb} MB` : `${memory_mb / 1024} GB`;
  return `${memory}, ${plural(vcpus, "processor")}`;
}
