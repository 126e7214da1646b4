//! What `docker` does with a recipe, done on a clean machine: no test can count on a real one.

use crate::place::Place;
use std::path::Path;

/// An image: what a recipe has made of a machine, and how it starts.
#[derive(Debug, Default)]
struct Image {
    user: String,
    folder: String,
    environment: Vec<String>,
    command: String,
}

/// `docker build` and `docker run` of the documents, in their order.
pub(crate) struct Docker<'a> {
    place: &'a Place,
    image: Option<Image>,
}

impl<'a> Docker<'a> {
    pub(crate) fn new(place: &'a Place) -> Self {
        Self { place, image: None }
    }

    /// Does what `docker` would, in `folder`.
    pub(crate) fn docker(&mut self, folder: &Path, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |flag: &str| {
            words.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1]).collect::<Vec<_>>()
        };
        let last = *words.last().expect("words");
        match words.get(1) {
            Some(&"build") => {
                assert_eq!(after("--tag"), ["chatcode-gateway"]);
                let recipe = std::fs::read_to_string(folder.join(after("--file")[0]));
                self.build(&folder.join(last), &recipe.expect("a recipe"));
            }
            Some(&"run") => {
                assert_eq!(last, "chatcode-gateway");
                self.run(&after("--env"));
            }
            _ => panic!("{line}"),
        }
    }

    /// Every instruction in its order, on the machine.
    fn build(&mut self, context: &Path, recipe: &str) {
        let recipe = recipe.replace("\\\n", " ");
        let mut image = Image::default();
        let lines = recipe.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (instruction, words) = line.split_once(' ').expect("an instruction");
            match instruction {
                "FROM" => assert!(words.ends_with("debian:bookworm-slim"), "{words}"),
                "COPY" => {
                    let (from, to) = words.split_once(' ').expect("two paths");
                    std::fs::copy(context.join(from), self.place.machine.path(to)).expect("copied");
                }
                "RUN" => drop(self.place.machine.run(words).expect(line)),
                "USER" => words.clone_into(&mut image.user),
                "WORKDIR" => words.clone_into(&mut image.folder),
                "ENV" => image.environment.push(words.to_owned()),
                "CMD" => {
                    let words: Vec<String> = serde_json::from_str(words).expect("an array");
                    image.command = words.join(" ");
                }
                _ => panic!("{line}"),
            }
        }
        self.image = Some(image);
    }

    /// Starts it, as whom the recipe says.
    fn run(&self, environment: &[&str]) {
        let image = self.image.as_ref().expect("it is built");
        assert!(!image.user.is_empty() && image.user != "root", "{image:?}");
        let all = image.environment.iter().map(String::as_str).chain(environment.iter().copied());
        let all = all.collect::<Vec<_>>().join(" ");
        let (folder, command) = (&image.folder, &image.command);
        let start = format!("cd {folder} && {all} setsid {command} >gateway.log 2>&1 &");
        self.place.machine.run_as(&image.user, &start).expect("it starts");
    }
}
