// What belongs to a person rather than to a server.

import { Page, PageTitle } from "@/components/page";
import { AccountSection } from "@/components/settings/account";
import { AppearanceSection } from "@/components/settings/appearance";
import { CloudSection } from "@/components/settings/cloud";
import { DeleteAccountSection } from "@/components/settings/delete-account";
import { SignInsSection } from "@/components/settings/sign-ins";
import { useAuth } from "@/hooks/auth";
import { usePageTitle } from "@/hooks/use-page-title";

export default function SettingsPage() {
  const { config, user } = useAuth();
  usePageTitle("Settings", 0);
  if (user === null) return null;
  return (
    <Page>
      <PageTitle>Settings</PageTitle>
      <AccountSection user={user} />
      <AppearanceSection />
      {config?.cloud === true && <CloudSection />}
      <SignInsSection />
      <DeleteAccountSection email={user.email} />
    </Page>
  );
}
