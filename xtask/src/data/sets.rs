//! The data sets that can be fetched: where from, and what every file must be.

/// Files that belong together, in a folder of their own.
pub(super) struct Set {
    pub(super) name: &'static str,
    /// The address of the folder that holds the files, at one commit.
    pub(super) from: &'static str,
    pub(super) licence: &'static str,
    pub(super) files: &'static [File],
}

/// A file: where it is in its set's folder, its length, and the SHA-256 that it must have.
pub(super) struct File {
    pub(super) path: &'static str,
    /// What it is called here: the last part of the path, unless said otherwise.
    name: Option<&'static str>,
    pub(super) bytes: u64,
    pub(super) sha256: &'static str,
}

impl File {
    pub(super) fn name(&self) -> &'static str {
        self.name.unwrap_or_else(|| self.path.rsplit('/').next().unwrap_or(self.path))
    }

    const fn called(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }
}

pub(super) const fn file(path: &'static str, bytes: u64, sha256: &'static str) -> File {
    File { path, name: None, bytes, sha256 }
}

/// Whether a set of this name can be fetched.
pub(super) fn can_fetch(name: &str) -> bool {
    SETS.iter().any(|set| set.name == name)
}

/// All of them.
pub(super) const SETS: &[Set] = &[
    Set {
        name: "mnist",
        from: "https://raw.githubusercontent.com/fgnt/mnist/ae608a02b796c9ee908c082585a5f006fe05258e",
        licence: "CC BY-SA 3.0 (as Keras states)",
        files: MNIST,
    },
    Set {
        name: "fashion-mnist",
        from: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/\
               b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion",
        licence: "MIT (Zalando SE)",
        files: FASHION,
    },
    Set {
        name: "proben1",
        from: "https://raw.githubusercontent.com/jeffheaton/proben1/\
               1c63a400c5811fdd924510e08ccdba631d118c96",
        licence: "none stated",
        files: PROBEN1,
    },
    Set {
        name: "uci",
        from: "https://raw.githubusercontent.com/jbrownlee/Datasets/\
               d20fcb6402ae34e653d4513b00f39257bb37ed7f",
        licence: "CC BY 4.0 (as UCI states; pima: none stated)",
        files: UCI,
    },
];

#[rustfmt::skip]
const MNIST: &[File] = &[
    file("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    file("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    file("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    file("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
];

#[rustfmt::skip]
const FASHION: &[File] = &[
    file("train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    file("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    file("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    file("t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
];

/// Five tables: of UCI's others no home is known that holds them byte by byte.
#[rustfmt::skip]
const UCI: &[File] = &[
    file("pima-indians-diabetes.csv", 23_278, "6bfe5d0f379d17a0e0819b996407e3c09bf80febd4287f2ed212190dfff154af"),
    file("breast-cancer-wisconsin.data", 19_889, "402c585309c399237740f635ef9919dc512cca12cbeb20de5e563a4593f22b64"),
    file("banknote_authentication.csv", 46_400, "d0539aaed2139ba7a587b3e34fb345ce503ff7d5d33dbf9912d8e195ce425cb9").called("data_banknote_authentication.txt"),
    file("winequality-red.csv", 84_028, "c9614512e980f1cbd221c796daa97f00c4898c3cd1716863abac60f6cd1a522e"),
    file("winequality-white.csv", 264_255, "659d419fff887f225bf977d20520bb64a64cae203e460087f809721d4430ba27"),
];

#[rustfmt::skip]
const PROBEN1: &[File] = &[
    file("building/building1.dt", 365_853, "2772b20fb4209cd2e9eeb1f19e388b7c85cf93bd71dec882c5954be16806bec1"),
    file("building/building2.dt", 365_853, "ccd4e42053f2e2c6e530261ced9ab94f059a3a9486964d6517836ae65e634b35"),
    file("building/building3.dt", 365_853, "d2e3d327c11d7c663afff12f5b4448ce2bde87d833c1a46353af79ea1ad4c3cf"),
    file("cancer/cancer1.dt", 27_068, "5b52fa97d1db5af5f4b31563ae19c536abb500f36012623b61ec1ec149d634c9"),
    file("cancer/cancer2.dt", 27_068, "129420f1b468043d0d57cedb4ddd569f40123de5067cf6e9285d85069229b082"),
    file("cancer/cancer3.dt", 27_068, "b74cc1523d4d2c7d85a67fef10144c9d3c8d14fb057e2b9d7153d097e134df59"),
    file("card/card1.dt", 94_575, "8f40ae157636053793e5ff0b4534ef177a8e46facbb23f6671a5ca0a4911dfb3"),
    file("card/card2.dt", 94_575, "cbe3509cb7249576a5cc86ab5266e88bafd10516b71364a1d39ce3982baafe2d"),
    file("card/card3.dt", 94_575, "8ac5e2924a4dfe78c106713c1080f1ab073f17d5bb7a07f6be19773886412103"),
    file("diabetes/diabetes1.dt", 47_157, "861ce702681972348e0b9337485fb5c08f66616ed8eb50423498f817dd32ea1e"),
    file("diabetes/diabetes2.dt", 47_157, "caf2cce2f67aed21f27176665923d431a7102d9f730a54a95e17ccdefd6b1ea9"),
    file("diabetes/diabetes3.dt", 47_157, "5e1d89089264e31ad02a273d0bb3a7836f30da2bdbf8b24554e2e504339d4b32"),
    file("flare/flare1.dt", 59_482, "d4b2b0b0db8624c458aacdbaafa938f8eb20c5e1edd159963e799af07a704b51"),
    file("flare/flare2.dt", 59_482, "75a74cc96e48457bff87cdb05caa967c94ad577aca750fd88de64a8ce2809740"),
    file("flare/flare3.dt", 59_482, "b090ce4a652af4b674ad42213921afab579791371bcf3995d3d34b5f0f8b7b11"),
    file("gene/gene1.dt", 1_171_684, "02fd78c25ece0908b93246e4292ef18d13b7f11bd5f35e358a33da3be2a46273"),
    file("gene/gene2.dt", 1_171_684, "403026b8dc0472553853bb984cd6f3e4f14e56a8e66aca9b5c9daf791b86e10d"),
    file("gene/gene3.dt", 1_171_684, "49505cb738c4e8987c3b57f78f1dd1e75e307b560e61b3220fd097b2684ebfe7"),
    file("glass/glass1.dt", 17_151, "9d6181819d162c766e2924012c9654d154b45af97690286635e25d3cb75ccc88"),
    file("glass/glass2.dt", 17_151, "b4b74cac6d299caec7dd7ff031d69f0651fe0a92e1b49e850b07ce23e2c3e59c"),
    file("glass/glass3.dt", 17_151, "9322eb386da9d1350fed6a67e00f83ab77d014a7c3f175b106ac07937654304b"),
    file("heart/heart1.dt", 91_791, "99d1d2069241709ca3371a341539f920086f0c8ae55683153c5d71714e802c62"),
    file("heart/heart2.dt", 91_791, "10007f49633070f6e092e92b387bf39523360ec9c8a45b6a6ad0434fc6fb2219"),
    file("heart/heart3.dt", 91_791, "815f05e9ff7bad9eefed028cb9a348b702c44824b2d88d711b9449a81099ecc8"),
    file("heart/hearta1.dt", 91_791, "b05e8fdd71d84d800acdad66f50de0a671126e18bb079643d56f933f6646a837"),
    file("heart/hearta2.dt", 91_791, "2fdbd3ec0c42d6582cf832bfdffdd7af1edce13319b06b38d0cf9903640f5b13"),
    file("heart/hearta3.dt", 91_791, "3eb47eac7912cd827ecf291817b6d7b0b6053a6cafe59ba2ea1fab60343d001b"),
    file("heart/heartac1.dt", 31_564, "7683a58507c71fe4c0dcefdaf4c51c2d4d3bc6d640603fce4a86629121a6b8a0"),
    file("heart/heartac2.dt", 31_564, "b9a5943567af3735ab82381110dd123e71ebbd1b21e4f8c153aeb0e55537d72c"),
    file("heart/heartac3.dt", 31_564, "39214d106353f2e3daf6df636ddff2d914d5c6c8a5bb2896ea64802ca66bd638"),
    file("heart/heartc1.dt", 31_564, "f43c54fce87934a777a51035d4ea7f4b4ae460d9599362c34f0e23787536b8d5"),
    file("heart/heartc2.dt", 31_564, "725c5615fddc41463923e264e4a357704b74195abb809ca7027b48ea5ee37c84"),
    file("heart/heartc3.dt", 31_564, "78e45f3aa02162fd4db293ce031151af20fd9428b4a3002bf28666b44e7e7d85"),
    file("horse/horse1.dt", 60_159, "7d81df6dac069f50f1458b04e441c58d15702e545111e55e9b782296600e3470"),
    file("horse/horse2.dt", 60_159, "cb8f79bc8b64d170fd7c3bba6db841703b0ce5cef248546e2d1c36ff3058b5f3"),
    file("horse/horse3.dt", 60_159, "0a15601ed717d98993131c6d686072bab7d046acf696c3417f219f416f058871"),
    file("mushroom/mushroom1.dt", 2_242_335, "f7d44860f2cf7dd0b6cfda8e044b5286006274fc70dd47cbcd9ad2a211b2e1f5"),
    file("mushroom/mushroom2.dt", 2_242_335, "4b342551f12d27c8794cae267edd15921d776849372c65f0e3249b03e80ea619"),
    file("mushroom/mushroom3.dt", 2_242_335, "b1b49f2f19edae5a30381adfa5e56aad076297692e1484e5732577c4621bbefc"),
    file("soybean/soybean1.dt", 147_176, "411d1e0f3789d64057e7f9e4bc265029a88f6ff16a84e6d3555cdce9d67214d0"),
    file("soybean/soybean2.dt", 147_176, "c2f5818993f1e3040f055b9081bf4ea0ac823227581e0095676093e34318f627"),
    file("soybean/soybean3.dt", 147_176, "519c5ff92c4c1544a69df3693307db7e14730790f7797271dc9cfb9546a4d549"),
    file("thyroid/thyroid1.dt", 520_431, "9bb69756a08b96d8ca51823ee8ad53379b702ab5bdc21b43f44af80e68f82e97"),
    file("thyroid/thyroid2.dt", 520_431, "6758b97d8c36fbf29fb0694d55ec0b616b179b3240da6d2f460b77a9a0466d1c"),
    file("thyroid/thyroid3.dt", 520_431, "0174bc78c161ac8c531cf7add9e9f9dd53f71384b354433efb1c0bf9d54a3d66"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_told_apart_and_can_be_checked() {
        for set in SETS {
            assert!(set.from.starts_with("https://") && !set.from.ends_with('/'), "{}", set.from);
            let mut names: Vec<_> = set.files.iter().map(File::name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), set.files.len(), "{}: two files have one name", set.name);
            for file in set.files {
                let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                assert!(file.sha256.len() == 64 && file.sha256.chars().all(hex), "{}", file.path);
                assert!(file.bytes > 0 && !file.name().contains('/'), "{}", file.path);
            }
        }
    }
}
